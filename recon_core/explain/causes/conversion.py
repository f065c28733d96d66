"""Conversion: one asset for another, one to one between names alike, or with its rows.

The ledger has 81.161849 USDC too little and as many USDT too much: the venue converted them. Where
each name is known to one side alone it may as well be another name, so both are asked. Rows show a
conversion at any price: what one account gives and receives at one time.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.dimensions import (
    Dimensions,
    account_of,
    add_to,
    bare_name,
    currency_of,
    is_cash,
)
from recon_core.explain.problem.hypotheses import Hypothesis, Row, Strength
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.postings import postings_of
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import rows_text
from recon_core.model import Movement, MovementKind, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.printable import printable

_LETTERS: Final = 3
"""Letters in a row that names of one worth share: the length of a currency's code."""

_PREFIXES: Final = "XZ"
"""Letters that a venue puts before the names of coins and of money."""

_FEWEST_DIGITS: Final = 4
"""Fewest digits of an amount that shows a conversion: a round one may be two transfers."""


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield the pairs of balances alike of which one side has in one what it lacks in the other."""
    less: dict[tuple[str, Decimal], list[str]] = {}
    more: list[tuple[str, tuple[str, Decimal]]] = []
    for name in filter(is_cash, states.differing):
        off = EXACT.subtract(states.stated.get(name, ZERO), states.other.get(name, ZERO))
        key = account_of(name), off.copy_abs()
        if off < 0:
            less.setdefault(key, []).append(name)
        else:
            more.append((name, key))
    for name, key in more:
        alike = [
            one for one in less.get(key, ()) if _are_alike(currency_of(name), currency_of(one))
        ]
        if len(alike) == 1:
            given, received = (printable(currency_of(one), 30) for one in (name, alike[0]))
            detail = f"{format_amount(key[1])} {given} to {received}"
            yield states.hypothesis(CauseKind.CONVERSION, (name, alike[0]), detail)


def _are_alike(one: str, other: str) -> bool:
    """True if names share letters, as those of assets that are converted one to one do.

    ZEUR is EUR and XETH is ETH in the notation of one venue: these are names.
    """
    if any(name == f"{letter}{bare}" for letter in _PREFIXES
           for name, bare in ((one, other), (other, one))):  # fmt: skip
        return False
    starts = range(len(one) - _LETTERS + 1)
    return any(one[start : start + _LETTERS] in other for start in starts)


def _doubt(
    dimensions: Dimensions, recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt a round amount, which may be two transfers, and two assets that are traded.

    And an amount of rows, which may be named in the wrong one of both assets.
    """
    for hypothesis in chosen:
        if hypothesis.cause_kind is not CauseKind.CONVERSION:
            continue
        amount = max(hypothesis.correction.values())
        pair = {currency_of(bare_name(name)) for name in hypothesis.correction}
        traded = any({one.base, one.quote} == pair for one in recorded.instruments.values())
        is_round = len(amount.normalize(EXACT).as_tuple().digits) < _FEWEST_DIGITS
        if traded or is_round or _may_be_of_rows(dimensions, recorded, hypothesis, amount):
            return "the movements of both sides, where a conversion would be"
    return ""


def _may_be_of_rows(
    dimensions: Dimensions, recorded: RecordedSession, hypothesis: StateHypothesis, amount: Decimal
) -> bool:
    """True if an amount is what rows move in one of the assets, or fees that they have in it.

    A row, those of a symbol, or all; of fees any may be named in the wrong asset.
    """
    for record in recorded.own_records().values():
        postings = postings_of(recorded, dimensions, record)
        moved = [
            *((row.symbol, postings.fill(row)) for row in record.fill_rows),
            *((row.symbol, postings.movement(row)) for row in record.movement_rows),
        ]
        for name in hypothesis.correction:
            fees = exact_sum(
                row.fee.copy_abs()
                for row in record.fill_rows
                if row.fee and postings.cash(row.charged_in, row.account) == name
            )
            sums: dict[str, Decimal] = {}
            for at, (symbol, effect) in enumerate(moved):
                each = effect.get(name, ZERO)
                for key in (f"row {at}", f"rows of {symbol}", "all rows"):
                    add_to(sums, key, each)
            if amount <= fees or amount in map(Decimal.copy_abs, sums.values()):
                return True
    return False


def conversions(rows: Sequence[Movement]) -> Iterator[Hypothesis]:
    """Yield the conversions among missing movements, each with all of its rows."""
    groups: dict[tuple[datetime, str | None], list[Movement]] = {}
    for row in rows:
        if row.movement_kind is MovementKind.CONVERSION and row.amount:
            groups.setdefault((row.time, row.account), []).append(row)
    for legs in groups.values():
        signs = {(row.amount or ZERO) > 0 for row in legs}
        if len(signs) > 1 and len({row.currency for row in legs}) > 1:
            patch = Patch(added_movements=tuple(legs))
            yield Hypothesis(CauseKind.CONVERSION, patch, tuple(legs), Strength.SHOWN)


def _text(subject: str, hypothesis: Hypothesis, _rows: Sequence[Row]) -> str:
    return f"{subject} has not booked the conversion of {rows_text(hypothesis.rows)}"


FAMILY: Final = CauseFamily(
    sentences={CauseKind.CONVERSION: _text},
    in_states=_in_states,
    state_doubt=_doubt,
    state_words={CauseKind.CONVERSION: "lacks a conversion of one asset to the other"},
)
