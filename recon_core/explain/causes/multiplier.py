"""Another size of a contract: the cash of its trades is off by a factor, and no quantity is.

The rows of a side are replayed with another multiplier. Example: two fills earn 12.50 at the
declared multiplier of 1, and the other side has 112.50 more; at a multiplier of 10 the same fills
earn 125.00. Nothing is to be booked: the declaration is to be corrected, or the side that counts
with another one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from operator import attrgetter
from typing import Final

from recon_core.explain.causes.family import CauseFamily
from recon_core.explain.problem.dimensions import Dimensions, Vector, is_cash, is_position
from recon_core.explain.problem.hypotheses import Strength
from recon_core.explain.problem.postings import to_decimal
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.ledger.replay import replay
from recon_core.model import Instrument, LedgerSide, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.model.fill_table import table_of
from recon_core.values.amounts import EXACT, ZERO, exact_sum, format_amount
from recon_core.values.errors import ReplayError

_LARGEST_POWER: Final = 6
"""Exponent of the largest factor: the sizes of contracts in use are 10^-4 to 100 units."""

_FACTORS: Final = tuple(
    Decimal(1).scaleb(exponent)
    for exponent in range(-_LARGEST_POWER, _LARGEST_POWER + 1)
    if exponent
)

_PLACES: Final = 30
"""Decimals of the inverse of a multiplier: far more than a multiplier has."""

_MOST_FILLS: Final = 10_000
"""Fills of a side: they are replayed for each contract, which no budget counts."""

_TIME: Final = attrgetter("time")

_NEAR: Final = Fraction(1, 100)
"""Fraction by which a factor that rounded cash gives may miss the power of ten."""


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield the other multiplier of each contract that accounts for all cash that differs.

    The rows are those of the side, of the other side if it gives none.
    """
    recorded, rows = states.recorded, _rows(states)
    if rows is None or not states.differing or not all(map(is_cash, states.differing)):
        return
    fills = rows.fill_rows
    traded = table_of(fills).distinct("symbol") if len(fills) <= _MOST_FILLS else set()
    contracts = [
        instrument
        for symbol in sorted(traded)
        if (instrument := recorded.instruments.get(symbol))
        and not instrument.instrument_kind.delivers
    ]
    declared = _declared(states, rows) if contracts else None
    for instrument in contracts if declared is not None else ():
        is_alone = traded == {instrument.symbol}
        yield from _Contract(states, rows, instrument, declared or {}, is_alone).hypotheses()


def _declared(states: States, rows: SideRecord) -> Vector | None:
    """Return the state that rows give as declared: that of the session's replay, if it has one."""
    known = states.replays.get(states.side if rows is states.record else states.side.other)
    if known is None or known.positions is None or known.cash is None:
        return _state(states, states.recorded, rows)
    return states.dimensions.state(known.positions, known.cash)


def _rows(states: States) -> SideRecord | None:
    records = (states.record, states.other_record)
    listed = (record for record in records if record.fills)
    rows = next(listed, None)
    return None if rows is None or rows.opening is None else rows


@dataclass(frozen=True, slots=True)
class _Contract:
    """A contract, and the state that `rows` give at its declared multiplier.

    `is_alone` if they have no fill of another symbol.
    """

    states: States
    rows: SideRecord
    instrument: Instrument
    declared: Vector
    is_alone: bool

    def hypotheses(self) -> Iterator[StateHypothesis]:
        """Yield the declaration that is wrong, or the multiplier that the side counts with."""
        states, factor = self.states, self._factor()
        if factor is None:
            return
        given = self._state_at(factor)
        if given is None or not self._is_of_what_differs(given):
            return
        right = EXACT.multiply(self.instrument.multiplier, factor).normalize(EXACT)
        symbol, multiplier = self.instrument.symbol, format_amount(self.instrument.multiplier)
        if self._is_reached(given, states.other) and self._is_reached(self.declared, states.stated):
            words = f"counts with the multiplier {multiplier} of {symbol}"
            detail = f"it is {format_amount(right)}"
        elif self._is_reached(given, states.stated) and self._is_counted_otherwise:
            words = f"counts with the multiplier {format_amount(right)} of {symbol}"
            detail = f"it is {multiplier}"
        else:
            return
        one = states.hypothesis(CauseKind.MULTIPLIER, states.differing, detail, len(_FACTORS))
        strength = Strength.CHANCE if self._is_behind() else one.strength
        yield replace(one, words=words, strength=strength)

    def _is_behind(self) -> bool:
        """True if the rows before the newest order give the cash: it is not posted yet.

        2,025.00 that a last order earns, less a fee of 20.25, are 99 % of it: so is another size.
        """
        states, fills = self.states, self.rows.fill_rows
        newest = max(fills, key=_TIME)
        earlier = [
            fill
            for fill in fills
            if fill is not newest and not (newest.order_id and fill.order_id == newest.order_id)
        ]
        before = _state(states, states.recorded, replace(self.rows, fills=tuple(earlier)))
        is_declared = self._is_reached(self.declared, states.stated)
        behind = states.other if is_declared else states.stated
        return before is not None and self._is_reached(before, behind)

    @property
    def _is_counted_otherwise(self) -> bool:
        """True if the other side counts as declared, and is no ledger with rows of its own.

        The exchange keeps the truth: where it counts otherwise, the declaration is wrong.
        """
        states = self.states
        is_truth = states.side is LedgerSide.EXTERNAL and states.other_record.fills is not None
        return not is_truth and self._is_reached(self.declared, states.other)

    def _is_of_what_differs(self, given: Vector) -> bool:
        """True if another multiplier changes balances that differ, and no others."""
        moved = {
            name
            for name in {*given, *self.declared}
            if given.get(name, ZERO) != self.declared.get(name, ZERO)
        }
        return bool(moved) and moved <= set(self.states.differing)

    def _is_reached(self, given: Vector, stated: Vector) -> bool:
        return all(
            given.get(name, ZERO) == stated.get(name, ZERO) for name in self.states.differing
        )

    def _factor(self) -> Decimal | None:
        """Return the factor that the cash requires, `None` if no trade earns it."""
        earned = self._earned()
        if not earned:
            return None
        off = exact_sum(
            EXACT.subtract(self.states.other.get(name, ZERO), self.states.stated.get(name, ZERO))
            for name in self.states.differing
        )
        is_declared = self._is_reached(self.declared, self.states.stated)
        times = 1 + (Fraction(off) if is_declared else -Fraction(off)) / Fraction(earned)
        near = (one for one in self._factors() if abs(times - one) <= _NEAR * one)
        return to_decimal(next(near, Fraction(0)), _PLACES) or None

    def _factors(self) -> Iterator[Fraction]:
        """Yield powers of ten, and the multiplier: it counts twice, or not at all."""
        multiplier = Fraction(self.instrument.multiplier)
        yield from map(Fraction, _FACTORS)
        yield from (multiplier, 1 / multiplier) if multiplier not in {0, 1} else ()

    def _earned(self) -> Decimal:
        """Return the cash that the trades of the contract earn, fees and all others ignored."""
        if self.is_alone:
            return self._earned_by_all()
        record, symbol = self.rows, self.instrument.symbol
        fills = [replace(fill, fee=ZERO) for fill in record.fill_rows if fill.symbol == symbol]
        opening = record.opening and replace(record.opening, cash=())
        alone = replace(record, fills=tuple(fills), movements=None, opening=opening)
        state = _state(self.states, self.states.recorded, alone) or {}
        return exact_sum(amount for name, amount in state.items() if is_cash(name))

    def _earned_by_all(self) -> Decimal:
        """Return what the declared cash has over the opening and the movements, without fees."""
        rows = self.rows
        cash = (amount for name, amount in self.declared.items() if is_cash(name))
        opened = (row.total for row in (rows.opening.cash if rows.opening else ()))
        moved = (row.amount for row in rows.movement_rows if row.amount is not None)
        spent = exact_sum(chain(opened, moved))
        paid = exact_sum(fill.fee for fill in rows.fill_rows)
        return EXACT.add(EXACT.subtract(exact_sum(cash), spent), paid)

    def _state_at(self, factor: Decimal) -> Vector | None:
        multiplier = EXACT.multiply(self.instrument.multiplier, factor)
        changed = replace(self.instrument, multiplier=multiplier)
        instruments: Mapping[str, Instrument] = {
            **self.states.recorded.instruments, changed.symbol: changed,
        }  # fmt: skip
        recorded = replace(self.states.recorded, instruments=instruments)
        return _state(self.states, recorded, self.rows)


def _state(states: States, recorded: RecordedSession, record: SideRecord) -> Vector | None:
    """Return the state that rows give by replay, `None` if they give none."""
    try:
        ledger = replay(recorded, record)
        # A future that settles daily says only here that its settlements are missing.
        return states.dimensions.state(ledger.positions, ledger.cash)
    except ReplayError:
        return None


def _state_doubt(
    dimensions: Dimensions, _recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt a multiplier where no position is compared: a quantity may be off by the factor."""
    is_multiplier = any(one.cause_kind is CauseKind.MULTIPLIER for one in chosen)
    if is_multiplier and not any(map(is_position, dimensions.compared)):
        return "the positions of both sides"
    return ""


FAMILY: Final = CauseFamily(
    sentences={CauseKind.MULTIPLIER: sentence_of("{subject} counts with another multiplier")},
    in_states=_in_states,
    state_words={CauseKind.MULTIPLIER: "counts with another multiplier"},
    state_doubt=_state_doubt,
    may_be_a_row=True,
    is_booked=False,
)
