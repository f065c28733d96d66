"""One query of an exchange: the windows and pages that are asked for, and their faults."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from recon_core.snapshot.asking import Asker
from recon_core.snapshot.queries import MY_TRADES
from tests.servers.binance import DAY

pytest.importorskip("ccxt", reason="needs the extra exchange: make exchange")


@dataclass
class Exchange:
    """Trades of an account by their times, two a page, the oldest or the newest first."""

    times: Sequence[int]
    oldest_first: bool = True
    answers: list[Any] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    id: str = "small"

    def feature_value(self, _symbol: str, _method: str, name: str, _default: object) -> int | None:
        """The bounds that ccxt states: windows of a day."""
        return 1 if name == "untilDays" else None

    def fetch_my_trades(
        self, *, since: int, params: dict[str, int], **_: Any
    ) -> list[dict[str, Any]]:
        """The trades of a page."""
        (until,) = params.values()
        self.asked.append((since, until))
        found = [time for time in self.times if since <= time <= until]
        page = found[:2] if self.oldest_first else found[-2:]
        rows = [
            {"id": f"t{time}", "symbol": "BTC/USDT", "side": "buy", "amount": 1, "price": 2}
            | {"timestamp": time}
            for time in page
        ]
        self.answers.append(rows)
        return rows


@pytest.mark.parametrize(
    ("oldest_first", "pages"),
    [
        # Where there are later rows behind the first page, none is before it.
        (True, [(0, 99), (20, 99), (30, 99), (40, 99)]),
        (False, [(0, 99), (40, 99), (0, 30), (0, 20), (0, 10)]),
    ],
)
def test_pages_are_asked_for_from_one_end(
    oldest_first: bool,  # noqa: FBT001
    pages: list[tuple[int, int]],
) -> None:
    """Until an answer has no new row; each row arrives once, in the order of time."""
    exchange = Exchange([10, 20, 30, 40], oldest_first)
    asked = Asker(exchange).paged(MY_TRADES, "BTC/USDT", 0, 99)
    assert (asked.status, asked.error) == ("whole", "")
    assert [row["timestamp"] for row in asked.rows] == [10, 20, 30, 40]
    assert exchange.asked == pages


@pytest.mark.parametrize("until", [0, DAY - 1, DAY, DAY + 1])
def test_the_last_moment_is_asked_for(until: int) -> None:
    """Also where it is a window of its own, of one millisecond."""
    asked = Asker(Exchange([until, until + 1])).paged(MY_TRADES, "BTC/USDT", 0, until)
    assert [row["timestamp"] for row in asked.rows] == [until]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, ""),
        ([], ""),
        ({"result": {"list": []}}, ""),
        ({"code": 0, "msg": "busy"}, "page 1: the answer has no list of rows"),
    ],
)
def test_nothing_is_no_list_of_no_rows(answer: Any, error: str) -> None:
    """An answer without a list is a fault; where ccxt answers by itself, there is none to see."""
    exchange = Exchange([])
    exchange.answers = Answers(answer)
    asked = Asker(exchange).paged(MY_TRADES, "BTC/USDT", 0, 99)
    assert (asked.status, asked.error) == ("failed" if error else "whole", error)


class Answers(list[Any]):
    """The answers of an exchange that gives one answer, or none, to whatever it is asked."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def append(self, _: Any) -> None:
        """Take the answer in place of rows."""
        if self._answer is not None:
            super().append(self._answer)
