"""Faults put into every recording: what the data can show is never passed over.

A fault is seen when the diffs are other ones than without it: another key, another
delta, another severity. What cannot be seen, and why, is in `UNSEEN`.
"""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import CashBalance, Fill, Position, RecordedSession, SideRecord
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.sessions import find_sessions, read_session

ROOT = Path(__file__).parents[2]
RECORDINGS = {
    path.name: path
    for place in ("tests/data/nautilus", "tests/data/freqtrade", "examples/tables")
    for path in sorted((ROOT / place).iterdir())
    if path.is_dir()
}
TRIES = 40 if settings().max_examples > 1000 else 3

Diffs = frozenset[tuple[str, str, str]]


@cache
def recorded_session(name: str) -> RecordedSession:
    """A recording as it was read, before anything is derived."""
    (anchor,) = find_sessions(RECORDINGS[name], extension_manager())
    return read_session(anchor)


def diffs_of(recorded: RecordedSession) -> Diffs:
    """What a reconciliation finds, with its figures."""
    found = Reconciliation(recorded, Policy()).diffs
    return frozenset((diff.identity, str(diff.severity), str(diff.delta)) for diff in found)


@cache
def usual_diffs(name: str) -> Diffs:
    """What is found without a fault; docs/formats.md explains it."""
    return diffs_of(recorded_session(name))


def internal_of(name: str) -> SideRecord:
    """The side that gives its fills."""
    record = recorded_session(name).internal
    assert record is not None
    return record


def external_of(name: str) -> SideRecord:
    """The side that states what it has."""
    record = recorded_session(name).external
    assert record is not None
    return record


def coarser(amount: Decimal) -> Decimal:
    """An amount with one of its digits less."""
    digits = amount.normalize()
    exponent = digits.as_tuple().exponent
    assert isinstance(exponent, int)
    return digits.quantize(Decimal((0, (1,), exponent + 1)))


def two_digits(price: Decimal) -> Decimal:
    """A price of two digits: what a coarser one costs may be below a unit of its currency."""
    return price.quantize(Decimal((0, (1,), price.adjusted() - 1)))


def flipped(fill: Fill) -> Fill:
    """A fill of the other side."""
    other = fill.side.other
    return replace(fill, side=other)


FILL_FAULTS: dict[str, Callable[[tuple[Fill, ...], int], list[Fill]]] = {
    "drop": lambda fills, at: [*fills[:at], *fills[at + 1 :]],
    "duplicate": lambda fills, at: [*fills, fills[at]],
    "duplicate under another id": lambda fills, at: [*fills, replace(fills[at], fill_id="again")],
    "flip": lambda fills, at: [*fills[:at], flipped(fills[at]), *fills[at + 1 :]],
    "scale by 10": lambda fills, at: [
        *fills[:at],
        replace(fills[at], quantity=fills[at].quantity * 10),
        *fills[at + 1 :],
    ],
    "round": lambda fills, at: [
        *fills[:at],
        replace(fills[at], price=two_digits(fills[at].price)),
        *fills[at + 1 :],
    ],
    "lose the fee": lambda fills, at: [
        *fills[:at],
        replace(fills[at], fee=Decimal(0)),
        *fills[at + 1 :],
    ],
    "shift all by a day": lambda fills, _: [
        replace(fill, time=fill.time + timedelta(days=1)) for fill in fills
    ],
}
UNSEEN = {
    "shift all by a day": "positions and cash do not depend on when fills were, only on their "
    "order; the orders and times of these recordings stand on one side only",
}


@pytest.mark.parametrize("fault", FILL_FAULTS)
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_fault_in_the_fills(name: str, fault: str) -> None:
    """One fill is wrong, at random: the diffs are other ones."""
    internal = internal_of(name)
    fills = internal.fills or ()
    if not fills:
        assert name == "perp_ethusdt_bracket_all_rejected"  # every order was rejected
        return
    dice = random.Random(f"{name} {fault}")  # noqa: S311  # rows, no secrets
    for _ in range(TRIES):
        at = dice.randrange(len(fills))
        changed = tuple(FILL_FAULTS[fault](fills, at))
        if changed == fills:
            continue  # there was no fee to lose, or nothing to round
        side = replace(internal, fills=changed)
        found = diffs_of(replace(recorded_session(name), internal=side))
        seen = found != usual_diffs(name)
        assert seen != (fault in UNSEEN), (fills[at], UNSEEN.get(fault))


def _replaced(rows: tuple[object, ...], at: int, row: object | None) -> tuple[object, ...]:
    kept = () if row is None else (row,)
    return (*rows[:at], *kept, *rows[at + 1 :])


def _amount(row: Position | CashBalance) -> Decimal:
    return row.quantity if isinstance(row, Position) else row.total


def _with_amount(row: Position | CashBalance, amount: Decimal) -> Position | CashBalance:
    if isinstance(row, Position):
        return replace(row, quantity=amount)
    return replace(row, total=amount, free=None, locked=None)


STATE_FAULTS: dict[str, Callable[[Position | CashBalance], Position | CashBalance | None]] = {
    "drop": lambda _: None,
    "flip": lambda row: _with_amount(row, -_amount(row)),
    "scale by 10": lambda row: _with_amount(row, _amount(row) * 10),
    "round": lambda row: _with_amount(row, coarser(_amount(row))),
}


@pytest.mark.parametrize("fault", STATE_FAULTS)
@pytest.mark.parametrize("section", ["positions", "cash"])
@pytest.mark.parametrize("name", RECORDINGS)
def test_a_fault_in_a_state(name: str, section: str, fault: str) -> None:
    """One row of the external side is wrong: the diffs are other ones, for every row."""
    external = external_of(name)
    rows = external.rows(section) or ()
    for at, row in enumerate(rows):
        assert isinstance(row, Position | CashBalance)
        if not _amount(row):
            continue  # nothing is what it was, turned, scaled or rounded
        changed = STATE_FAULTS[fault](row)
        side = replace(external, **{section: _replaced(rows, at, changed)})
        found = diffs_of(replace(recorded_session(name), external=side))
        assert found != usual_diffs(name), row


@pytest.mark.parametrize("name", RECORDINGS)
def test_free_and_locked_swapped(name: str) -> None:
    """Seen where both sides tell the parts apart; a replayed side knows the total only."""
    external = external_of(name)
    rows = tuple(
        replace(row, free=row.locked, locked=row.free) if isinstance(row, CashBalance) else row
        for row in external.cash or ()
    )
    if rows == external.cash or external.cash is None:
        return
    recorded = recorded_session(name)
    assert recorded.internal is not None
    both = replace(recorded.internal, cash=external.cash)
    twin = replace(recorded, internal=both)
    assert diffs_of(replace(twin, external=replace(external, cash=rows))) != diffs_of(twin)


@pytest.mark.large
def test_every_recording_is_here() -> None:
    """The faults are tried on all kinds of recordings, and most of them give fills."""
    assert len(RECORDINGS) >= 14
    given = [name for name in RECORDINGS if internal_of(name).fills]
    assert len(given) == len(RECORDINGS) - 1
