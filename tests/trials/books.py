"""Books: the opening, fills and movements of a side, and the state that they give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from recon_core.compare.accounts import single_accounts
from recon_core.compare.keys import key_text
from recon_core.ledger.replay import replay
from recon_core.model import (
    CashBalance,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.explanation import Effect
from recon_core.values.amounts import EXACT, ZERO, round_to_places


@dataclass(frozen=True, slots=True)
class State:
    """What a side has: positions and cash."""

    positions: tuple[Position, ...] = ()
    cash: tuple[CashBalance, ...] = ()


def book_of(record: SideRecord) -> SideRecord:
    """A side without what it states: its rows alone."""
    return replace(
        record, positions=None, cash=None, derived=frozenset(), counts={}, origins={}, notes=()
    )


def state_of(recorded: RecordedSession, record: SideRecord) -> State:
    """What a side states, else what its rows give; raises `ReplayError`."""
    positions, cash = record.positions, record.cash
    if positions is None or cash is None:
        ledger = replay(recorded, record)
        positions = ledger.positions if positions is None else positions
        cash = ledger.cash if cash is None else cash
    return State(tuple(positions), tuple(cash))


def amounts_of(state: State, *, plain: bool) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Amounts by comparison key; `plain` says that accounts go unnamed."""
    positions = _summed(
        (key_text(row.symbol, row.leg, None if plain else row.account), row.quantity)
        for row in state.positions
    )
    cash = _summed(
        (key_text(row.currency, Leg.NET, None if plain else row.account), row.total)
        for row in state.cash
    )
    return positions, cash


def _summed(rows: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for key, amount in rows:
        found[key] = EXACT.add(found.get(key, ZERO), amount)
    return found


def difference(faulty: State, right: State, *, plain: bool) -> Effect:
    """What a state has too much, what is 0 left out."""
    ours, theirs = amounts_of(faulty, plain=plain), amounts_of(right, plain=plain)
    return Effect(*(_minus(one, other) for one, other in zip(ours, theirs, strict=True)))


def _minus(one: Mapping[str, Decimal], other: Mapping[str, Decimal]) -> dict[str, Decimal]:
    deltas = {
        key: EXACT.subtract(one.get(key, ZERO), other.get(key, ZERO)) for key in {**one, **other}
    }
    return {key: EXACT.normalize(delta) for key, delta in sorted(deltas.items()) if delta}


def negative(effect: Effect) -> Effect:
    """The same amounts with the other sign."""
    return Effect(
        {key: amount.copy_negate() for key, amount in effect.position.items()},
        {key: amount.copy_negate() for key, amount in effect.cash.items()},
    )


def total(effects: Iterable[Effect]) -> Effect:
    """The sum of effects, what is 0 left out."""
    position: dict[str, Decimal] = {}
    cash: dict[str, Decimal] = {}
    for effect in effects:
        for found, given in ((position, effect.position), (cash, effect.cash)):
            for key, amount in given.items():
                found[key] = EXACT.add(found.get(key, ZERO), amount)
    return plain_effect(Effect(position, cash))


def plain_effect(effect: Effect) -> Effect:
    """An effect that compares: what is 0 left out, keys sorted, no trailing zeros."""
    return Effect(_minus(effect.position, {}), _minus(effect.cash, {}))


def deltas_of(recorded: RecordedSession) -> Effect:
    """Internal minus external of everything that both sides report."""
    internal, external = recorded.internal, recorded.external
    assert internal is not None
    assert external is not None
    ours, theirs = state_of(recorded, internal), state_of(recorded, external)
    # A derived state has the accounts of its rows; so has the engine's.
    return difference(ours, theirs, plain=single_accounts(_stated(recorded)))


def _stated(recorded: RecordedSession) -> RecordedSession:
    sides = {
        str(side): _with_state(recorded, record) for side, record in recorded.own_records().items()
    }
    return replace(recorded, **sides)


def _with_state(recorded: RecordedSession, record: SideRecord) -> SideRecord:
    state = state_of(recorded, record)
    missing = [name for name in ("positions", "cash") if record.rows(name) is None]
    return replace(record, positions=state.positions, cash=state.cash, derived=frozenset(missing))


def are_accounts_plain(recorded: RecordedSession) -> bool:
    """Whether the keys of a session name no accounts."""
    return single_accounts(_stated(recorded))


def notional(fill: Fill, instrument: Instrument) -> Fraction:
    """What a fee is charged on, in the currency of the fee."""
    quantity = Fraction(fill.quantity) * Fraction(instrument.multiplier)
    if instrument.instrument_kind is InstrumentKind.INVERSE:
        return quantity / Fraction(fill.price)
    is_base = instrument.instrument_kind is InstrumentKind.SPOT and (
        fill.fee_currency == instrument.base
    )
    return quantity if is_base else quantity * Fraction(fill.price)


def decimal_of(fraction: Fraction, places: int | None) -> Decimal:
    """A fraction rounded half-even to decimal places; `None` needs a finite one."""
    if places is None:
        return EXACT.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))
    return round_to_places(EXACT.scaleb(Decimal(round(fraction * 10**places)), -places), places)
