"""The sums of a snapshot's trades, exact whatever the digits, and the clock they are rolled by."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from recon_core.snapshot.asking import Asked
from recon_core.snapshot.queries import MY_TRADES, ORDERS
from recon_core.snapshot.recording import Clock, Recording, _clock, _cross_check, _roll_off

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = 1000
NOW = int(BEGIN.timestamp()) * SECOND + 10 * SECOND
LARGE = "1" + "0" * 28


def recording(*trades: tuple[str, int], filled: str, **more: Any) -> Recording:
    """One order and its trades, with their seconds after the time of the balance."""
    rows: list[Any] = [
        {"id": f"t{place}", "order": "o", "amount": amount, "timestamp": NOW + later * SECOND}
        for place, (amount, later) in enumerate(trades)
    ]
    order = {"id": "o", "filled": filled, "timestamp": NOW, "status": "closed", **more}
    asked = [
        Asked(MY_TRADES, "BTC/USDT", rows=rows), Asked(ORDERS, "BTC/USDT", rows=[order])
    ]  # fmt: skip
    return Recording(("BTC/USDT",), BEGIN, BEGIN + timedelta(seconds=10), asked=asked)


@pytest.mark.parametrize(
    ("trades", "filled", "gaps"),
    [
        ([(LARGE, 0), ("0.01", 0)], f"{LARGE}.01", []),
        ([(LARGE, 0), ("0.01", 0)], f"{LARGE}.02", [
            f"my trades of BTC/USDT: order o filled {LARGE}.02, its trades give {LARGE}.01",
        ]),
        ([], "0.01", ["my trades of BTC/USDT: order o filled 0.01, its trades give 0"]),
    ],
)  # fmt: skip
def test_an_order_is_held_against_the_sum_of_its_trades(
    trades: list[tuple[str, int]], filled: str, gaps: list[str]
) -> None:
    """A hundredth of thirty digits is missed."""
    found = recording(*trades, filled=filled)
    _cross_check(found)
    assert found.gaps == gaps


def test_what_was_traded_later_is_taken_off_an_order() -> None:
    """To the last digit; the trade is left out, and named."""
    found = recording((LARGE, 0), ("0.01", 1), filled=f"{LARGE}.01")
    _roll_off(found)
    trades, orders = found.asked
    assert [row["id"] for row in trades.rows] == ["t0"]
    assert (orders.rows[0]["filled"], orders.rows[0]["rolledOff"]) == (f"{LARGE}.00", "0.01")
    assert [row["id"] for row in found.rolled_off] == ["t1"]


@pytest.mark.parametrize(
    ("changed", "later", "status"),
    [
        (None, None, "closed"),
        (0, 0, "closed"),
        (1, None, "open"),
        (None, 1, "open"),
        (0, 1, "open"),
    ],
)
def test_an_order_that_ended_later_was_open(
    changed: int | None, later: int | None, status: str
) -> None:
    """Without a later trade too: it was cancelled after the balance."""
    names = ("lastUpdateTimestamp", "lastTradeTimestamp")
    times = zip(names, (changed, later), strict=True)
    found = recording(("1", 0), filled="1", **{
        name: None if seconds is None else NOW + seconds * SECOND for name, seconds in times
    })  # fmt: skip
    _roll_off(found)
    (order,) = found.asked[1].rows
    assert (order["status"], order["filled"]) == (status, "1")


@pytest.mark.parametrize(
    ("answered", "stated", "clock"),
    [(0, 7, Clock(7, 1)), (1, 7, Clock(7, 1)), (10, 7, Clock(2, 6)), (11, 3, Clock(-2, 6))],
)
def test_the_clock_is_right_to_half_of_what_an_answer_takes(
    answered: int, stated: int, clock: Clock
) -> None:
    """It is taken for the time in the middle, and requests are signed by it."""
    exchange = SimpleNamespace(has={"fetchTime": True}, options={"timeDifference": 0})
    exchange.lastRestRequestTimestamp = NOW
    milliseconds = {"milliseconds": NOW + stated}
    moment = BEGIN + timedelta(seconds=10, milliseconds=answered)
    asked = Asked(MY_TRADES, result=milliseconds, answered=moment)
    asker: Any = SimpleNamespace(exchange=exchange, whole=lambda *_: asked)
    found = recording(filled="0")
    assert _clock(asker, found) == clock
    assert exchange.options == {"timeDifference": -clock.offset}
    assert found.asked[-1] is asked
