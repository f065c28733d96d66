"""Sessions that say the same in another way: sides exchanged, rows permuted, amounts scaled."""

import random
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeVar

from recon_core.model import Opening, RecordedSession, SideRecord, Snapshot

_Row = TypeVar("_Row")
_SECTIONS = ("fills", "orders", "positions", "cash", "movements")


def exchanged(recorded: RecordedSession) -> RecordedSession:
    """The session with the ledger as the exchange, and the exchange as the ledger."""
    return replace(recorded, internal=recorded.external, external=recorded.internal)


def permuted(recorded: RecordedSession, seed: int) -> RecordedSession:
    """The session with the rows of each section of both sides in another order."""
    dice = random.Random(seed)  # noqa: S311  # a shuffle of rows

    def of(side: SideRecord | None) -> SideRecord | None:
        if side is None:
            return None
        changed = {}
        for name in _SECTIONS:
            rows = getattr(side, name)
            changed[name] = rows and tuple(dice.sample(rows, len(rows)))
        return replace(side, **changed)

    return replace(recorded, internal=of(recorded.internal), external=of(recorded.external))


def in_other_money(recorded: RecordedSession, currency: str, power: int) -> RecordedSession:
    """The session with amounts of a quote currency times a power of ten, and its prices too."""
    quoted = {one.symbol for one in recorded.instruments.values() if one.quote == currency}
    symbols, currencies = dict.fromkeys(quoted, (0, power)), {currency: power}
    return _scaled(recorded, symbols, currencies)


def in_other_lots(recorded: RecordedSession, base: str, power: int) -> RecordedSession:
    """The session with quantities of a base currency times a power of ten, its prices less."""
    traded = {one.symbol for one in recorded.instruments.values() if one.base == base}
    return _scaled(recorded, dict.fromkeys(traded, (power, -power)), {base: power})


def _scaled(
    recorded: RecordedSession,
    symbols: Mapping[str, tuple[int, int]],
    currencies: Mapping[str, int],
) -> RecordedSession:
    """The session with quantities and prices of symbols, and amounts of currencies, scaled."""

    def of(row: _Row) -> _Row:
        at: Any = row
        quantity, price = symbols.get(getattr(at, "symbol", ""), (0, 0))
        powers = {
            "quantity": quantity,
            "filled_quantity": quantity,
            "price": price,
            "average_price": price,
            "average_fill_price": price,
            "fee": currencies.get(getattr(at, "fee_currency", None) or "", 0),
            **dict.fromkeys(
                ("amount", "total", "free", "locked"),
                currencies.get(getattr(at, "currency", None) or "", 0),
            ),
        }
        changed = {
            name: value.scaleb(power)
            for name, power in powers.items()
            if power and isinstance(value := getattr(at, name, None), Decimal)
        }
        return replace(at, **changed) if changed else row

    def rows(given: tuple[_Row, ...] | None) -> tuple[_Row, ...] | None:
        return given and tuple(map(of, given))

    def state(given: Opening | Snapshot) -> Any:
        return replace(given, positions=rows(given.positions), cash=rows(given.cash))

    def side(record: SideRecord | None) -> SideRecord | None:
        if record is None:
            return None
        changed = {name: rows(getattr(record, name)) for name in _SECTIONS}
        return replace(
            record,
            **changed,
            opening=record.opening and state(record.opening),
            snapshots=record.snapshots and tuple(map(state, record.snapshots)),
        )

    known = {
        name: replace(one, precision=one.precision - currencies.get(name, 0))
        for name, one in recorded.currencies.items()
    }
    sides = {"internal": side(recorded.internal), "external": side(recorded.external)}
    return replace(recorded, currencies=known, **sides)
