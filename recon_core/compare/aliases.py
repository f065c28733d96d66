"""Aliases: names of one side in the other's words, before anything is paired.

Source of the rules: design, "Names to keep". An alias renames symbols and
currencies wherever a side speaks of them. Two names that would become one key are an
error: rows are never merged silently.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    Instrument,
    LedgerSide,
    Opening,
    Order,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.model.movement_table import movement_table_of
from recon_core.model.order_table import order_table_of
from recon_core.policy.aliases import Aliases
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted

_Row = TypeVar("_Row")
_Names = Mapping[str, str]
_KEYS: Final[Mapping[type, Callable[[Any], tuple[Any, ...]]]] = {
    Position: lambda row: (row.account, row.symbol, row.leg),
    CashBalance: lambda row: (row.account, row.currency),
    Fill: lambda row: (row.account, row.symbol),
    Order: lambda row: (row.account, row.symbol),
}
"""Keys that distinguish the state of a side; fills of two names would be posted as one."""


def with_aliases(recorded: RecordedSession, aliases: Aliases) -> RecordedSession:
    """The session in the names that are compared.

    Raises `SessionError` where two names of a side become one key.
    """
    if not aliases.internal and not aliases.external:
        return recorded
    is_copy = recorded.external is recorded.internal
    internal = _renamed_side(recorded, LedgerSide.INTERNAL, aliases.internal)
    renamed = replace(
        recorded,
        internal=internal,
        external=internal
        if is_copy
        else _renamed_side(recorded, LedgerSide.EXTERNAL, aliases.external),
        instruments=_instruments(recorded.instruments, aliases),
        currencies=_currencies(recorded.currencies, aliases),
    )
    return replace(renamed, notes=(*recorded.notes, *_notes(recorded, aliases)))


def _renamed_side(recorded: RecordedSession, side: LedgerSide, names: _Names) -> SideRecord | None:
    record = recorded.side(side)
    if record is None or not names:
        return record
    try:
        return replace(
            record,
            positions=_rows(record.positions, names, "positions"),
            cash=_rows(record.cash, names, "cash"),
            orders=_rows(record.orders, names, "orders"),
            fills=_rows(record.fills, names, "fills"),
            movements=_rows(record.movements, names, "movements"),
            opening=_opening(record.opening, names),
            snapshots=_snapshots(record.snapshots, names),
            keeps={names.get(asset, asset): view for asset, view in record.keeps.items()},
        )
    except SessionError as error:
        raise SessionError(f"{printable(recorded.anchor.name)}: {side}.{error}") from None


def _opening(opening: Opening | None, names: _Names) -> Opening | None:
    if opening is None:
        return None
    return replace(
        opening,
        positions=_rows(opening.positions, names, "opening.positions") or (),
        cash=_rows(opening.cash, names, "opening.cash") or (),
    )


def _snapshots(
    snapshots: tuple[Snapshot, ...] | None, names: _Names
) -> tuple[Snapshot, ...] | None:
    if snapshots is None:
        return None
    return tuple(
        replace(
            snapshot,
            positions=_rows(snapshot.positions, names, f"snapshots[{number}].positions"),
            cash=_rows(snapshot.cash, names, f"snapshots[{number}].cash"),
        )
        for number, snapshot in enumerate(snapshots)
    )


def _rows(rows: Sequence[_Row] | None, names: _Names, where: str) -> tuple[_Row, ...] | None:
    """The rows under their new names; a row whose names stay is not copied."""
    if rows is None:
        return None
    renamed = tuple(_row(row, names) for row in rows)
    _refuse_merging(rows, renamed, where)
    return renamed


def _row(row: Any, names: _Names) -> Any:
    changes = {}
    for name in ("symbol", "currency", "fee_currency"):
        value = getattr(row, name, None) or ""
        if value in names:
            changes[name] = names[value]
    return replace(row, **changes) if changes else row


def _refuse_merging(rows: Sequence[Any], renamed: Sequence[Any], where: str) -> None:
    key_of = _KEYS.get(type(rows[0])) if rows else None
    if key_of is None:
        return
    seen: dict[tuple[Any, ...], str] = {}
    for row, new in zip(rows, renamed, strict=True):
        own, name = _name(row), seen.setdefault(key_of(new), _name(row))
        if name != own:
            raise SessionError(
                f"{where}: {quoted(name)} and {quoted(own)} both become {quoted(_name(new))} by "
                "the aliases of the policy; expected one name of a side for each"
            )


def _name(row: Any) -> str:
    return str(row.currency if isinstance(row, CashBalance) else row.symbol)


def _instruments(
    instruments: Mapping[str, Instrument], aliases: Aliases
) -> Mapping[str, Instrument]:
    """Instruments under their new names too; one that is declared there is kept."""
    names = {**aliases.external, **aliases.internal}
    renamed = {
        names[symbol]: _instrument(instrument, names)
        for symbol, instrument in instruments.items()
        if symbol in names
    }
    return {**renamed, **{name: _instrument(each, names) for name, each in instruments.items()}}


def _instrument(instrument: Instrument, names: _Names) -> Instrument:
    symbol, base, quote, settlement = (
        names.get(name, name)
        for name in (
            instrument.symbol,
            instrument.base,
            instrument.quote,
            instrument.settlement,
        )
    )
    return replace(instrument, symbol=symbol, base=base, quote=quote, settlement=settlement)


def _currencies(currencies: Mapping[str, Currency], aliases: Aliases) -> Mapping[str, Currency]:
    names = {**aliases.external, **aliases.internal}
    renamed = {
        names[code]: Currency(names[code], currency.precision)
        for code, currency in currencies.items()
        if code in names
    }
    return {**renamed, **currencies}


def _notes(recorded: RecordedSession, aliases: Aliases) -> Iterator[str]:
    """Yield a note for every alias that renamed something in this session."""
    for side, record in recorded.own_records().items():
        names = aliases.of(side)
        used = names_of(record) & names.keys()
        for name in sorted(used):
            yield f"alias: {side} {quoted(name)} is compared as {quoted(names[name])}"


def names_of(record: SideRecord) -> set[str]:
    """Every symbol and every currency in the rows of a side."""
    opening = record.opening or Opening(None)
    tables: Iterable[Iterable[object]] = (
        record.positions or (),
        record.cash or (),
        opening.positions,
        opening.cash,
        *(one.positions or () for one in record.snapshots or ()),
        *(one.cash or () for one in record.snapshots or ()),
    )
    fields = ("symbol", "currency", "fee_currency")
    found = {getattr(row, name, None) or "" for rows in tables for row in rows for name in fields}
    fills, movements = record.table, movement_table_of(record.movements)
    found.update(fills.distinct("symbol"), fills.distinct("fee_currency"))
    found.update(movements.distinct("symbol"), movements.distinct("currency"))
    found.update(order_table_of(record.orders).distinct("symbol"))
    return found - {"", None}
