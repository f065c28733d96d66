"""One fault is explained alike, whichever lists the exchange shows its account in."""

import json
import random
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model import LedgerSide
from recon_core.model.explanation import Effort

Row = dict[str, Any]
Rows = list[Row]

AS_OF = "2026-03-02T15:00:00Z"
EARLY = "2026-03-02T08:00:00Z"
ASSETS = ("BTC", "ETH", "BNB")
PRICES = {"BTC": 40_000, "ETH": 2_500}
CENT = Decimal("0.01")
MOVEMENTS: Rows = [
    {"time": EARLY, "movement_id": "m1", "kind": "deposit", "currency": "BNB", "amount": "500"},
    {"time": EARLY, "movement_id": "m2", "kind": "reward", "currency": "ETH", "amount": "0.013"},
    {
        "time": EARLY,
        "movement_id": "m3",
        "kind": "withdrawal",
        "currency": "BTC",
        "amount": "-0.05",
    },
]


def _fees(taken: str, base: str, quantity: Decimal, value: Decimal) -> tuple[Decimal, str]:
    """Amount and currency of a fee: in the quote, in a third coin, or in what was bought."""
    if taken == "third":
        return (value * Decimal("0.00075") / 600).quantize(Decimal("0.00000001")), "BNB"
    if taken == "bought":
        return quantity * Decimal("0.001"), base
    return (value * Decimal("0.001")).quantize(CENT), "EUR"


@cache
def fills(taken: str) -> tuple[Row, ...]:
    """A drawn day of two pairs."""
    draw = random.Random(5)  # noqa: S311  # a drawn day, not a secret
    held, found = dict.fromkeys(PRICES, Decimal(0)), []
    for number in range(24):
        base = draw.choice(list(PRICES))
        quantity = Decimal(draw.randint(300, 9000)) / 100
        sells = held[base] > quantity and draw.random() < 0.4
        price = PRICES[base] + draw.randint(-90, 90)
        fee, currency = _fees(taken, "EUR" if sells else base, quantity, quantity * price)
        if sells and taken == "bought":
            fee = (quantity * price * Decimal("0.001")).quantize(CENT)
        held[base] += -quantity if sells else quantity
        found.append(
            {
                "fill_id": f"f{number}",
                "symbol": f"{base}/EUR",
                "side": "SELL" if sells else "BUY",
                "quantity": str(quantity),
                "price": str(price),
                "fee": str(fee),
                "fee_currency": currency,
                "time": f"2026-03-02T09:{number:02}:00Z",
            }
        )
    return tuple(found)


def explained(directory: Path, rows: Rows, moved: Rows, exchange: Row) -> Reconciliation:
    """A ledger of these rows, and what the exchange lists."""
    document = {
        "schema": "recon.session/1",
        "session_id": "views",
        "instruments": {
            f"{base}/EUR": {"kind": "spot", "base": base, "quote": "EUR"} for base in ASSETS
        },
        "currencies": {"EUR": {"precision": 2}},
        "internal": {
            "as_of": AS_OF,
            "opening": {"cash": {"EUR": "100000000"}},
            "fills": rows,
            "movements": moved,
        },
        "external": {"as_of": AS_OF, **exchange},
    }
    path = directory / "views.recon.json"
    path.write_text(json.dumps(document))
    return reconcile_session(path, explain=explainer(Effort.FAST))


def views(directory: Path, taken: str) -> Mapping[str, Row]:
    """The right state as venues list it."""
    ledger = explained(directory, list(fills(taken)), MOVEMENTS, {"cash": {}})
    replayed = ledger.replays[LedgerSide.INTERNAL]
    cash = {row.currency: str(row.total) for row in replayed.cash or ()}
    held = {f"{asset}/EUR": cash[asset] for asset in ASSETS}
    traded = {row.symbol: str(row.quantity) for row in replayed.positions or ()}
    return {
        "what is held, and balances": {"positions": held, "cash": cash},
        "what was traded, and balances": {"positions": traded, "cash": cash},
        "balances alone": {"cash": cash},
        "positions, and cash in the quote": {"positions": held, "cash": {"EUR": cash["EUR"]}},
    }


def _with(rows: Rows, at: int, **fields: str) -> Rows:
    return [*rows[:at], {**rows[at], **fields}, *rows[at + 1 :]]


def _quantity(rows: Rows, at: int, factor: Decimal, more: Decimal = Decimal(0)) -> str:
    return str(Decimal(rows[at]["quantity"]) * factor + more)


Fault = Callable[[Rows, Rows], tuple[Rows, Rows]]
FAULTS: dict[str, tuple[Fault, str]] = {
    "none": (lambda rows, moved: (rows, moved), ""),
    "a lost fill": (lambda rows, moved: (rows[:3] + rows[4:], moved), "unique missing_fill"),
    "another lost fill": (
        lambda rows, moved: (rows[:12] + rows[13:], moved),
        "unique missing_fill",
    ),
    "a doubled fill": (
        lambda rows, moved: ([*rows, {**rows[4], "fill_id": "x"}], moved),
        "unique duplicate_fill",
    ),
    "another side": (
        lambda rows, moved: (_with(rows, 0, side="SELL"), moved),
        "unique side_flipped",
    ),
    "ten times the quantity": (
        lambda rows, moved: (_with(rows, 5, quantity=_quantity(rows, 5, Decimal(10))), moved),
        "unique wrong_quantity",
    ),
    "another quantity": (
        lambda rows, moved: (
            _with(rows, 6, quantity=_quantity(rows, 6, Decimal(1), Decimal(13))),
            moved,
        ),
        "unique wrong_quantity",
    ),
    "no fee": (lambda rows, moved: (_with(rows, 10, fee="0"), moved), "unique missing_fee"),
    "a lost deposit": (lambda rows, moved: (rows, moved[1:]), "unexplained "),
    "a lost reward": (lambda rows, moved: (rows, [moved[0], moved[2]]), "unexplained "),
    "another sign": (
        lambda rows, moved: (rows, _with(moved, 2, amount="0.05")),
        "ambiguous wrong_movement",
    ),
}


def answer(reconciliation: Reconciliation) -> str:
    """Verdict and causes."""
    return "; ".join(
        f"{one.verdict} {', '.join(str(cause.cause_kind) for cause in one.causes)}"
        for one in reconciliation.explanations
    )


@pytest.mark.parametrize("taken", ["quote", "third", "bought"])
@pytest.mark.parametrize(("fault", "expected"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_explained_alike_in_every_view(
    tmp_path: Path, taken: str, fault: Fault, expected: str
) -> None:
    """A fill moves a holding, whether it is compared as a position, as a balance or as both."""
    rows, moved = fault(list(fills(taken)), MOVEMENTS)
    answers = {
        view: answer(explained(tmp_path, rows, moved, exchange))
        for view, exchange in views(tmp_path, taken).items()
    }
    assert answers == dict.fromkeys(answers, expected)


@pytest.mark.parametrize("taken", ["quote", "third", "bought"])
@pytest.mark.parametrize(
    ("fault", "expected"), [FAULTS["a lost fill"], FAULTS["a doubled fill"], FAULTS["no fee"]]
)
def test_fills_without_movements_say_nothing_of_movements(
    tmp_path: Path, taken: str, fault: Fault, expected: str
) -> None:
    """A trade history names no deposits: those of the ledger are not missing from the exchange."""
    rows, moved = fault(list(fills(taken)), MOVEMENTS)
    balances = views(tmp_path, taken)["balances alone"]
    shown = {**balances, "fills": list(fills(taken))}
    assert answer(explained(tmp_path, rows, moved, shown)) == expected
