"""Pairing: the keys that are compared, and their names.

Names are made of business keys and never of values, so that an item keeps its name when its
verdict changes, and every process finds the same names.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import quote, unquote

from recon_core.compare.accounts import accounts_are_one, split_check, summed
from recon_core.compare.holdings import holdings
from recon_core.compare.views import ComparedViews
from recon_core.model import (
    CashBalance,
    Instrument,
    InstrumentKind,
    LedgerSide,
    Leg,
    Numbers,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.comparison import Comparison, ItemKind, SessionCheck
from recon_core.model.movement_table import movement_table_of
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.severity import Severity

Row = TypeVar("Row")
Key = TypeVar("Key")

SESSION_CHECKS: Final = ("as-of", "complete", "coverage", "readable")
"""The session checks that always exist, as sorted in the report."""

_LONGEST_KEY: Final = 200
"""Characters of an encoded key: a node id of a longer one cannot be read on a line."""
_ENCODED = re.compile(r"(?:::|[^!-~]|[%\[\]@,])+")
_UNIFIED_SYMBOL = re.compile(r"([^/:]+)/([^/:]+)")


def encode_key(text: str) -> str:
    """A business key as written in a node id, percent-encoded where pytest would trip.

    `%`, `::`, `[`, `]`, `@`, `,`, white space, controls and non-ASCII are encoded. A key of
    more than 200 characters is cut and ends in a hash of the whole.
    """
    encoded = _ENCODED.sub(_percent, text[:_LONGEST_KEY])  # never shorter than the text
    if len(text) <= _LONGEST_KEY and len(encoded) <= _LONGEST_KEY:
        return encoded
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{encoded[: _LONGEST_KEY - 17]}~{digest}"


def key_label(key: str) -> str:
    """A key as people read it: `XBTUSD PERP LONG` of `XBTUSD%20PERP,leg=LONG`."""
    name, _, account = key.partition(",account=")
    text = unquote(name.replace(",leg=", " "))
    return printable(f"{text} of account {unquote(account)}" if account else text)


def _percent(match: re.Match[str]) -> str:
    # quote() leaves none of these characters as it is; surrogates are encoded as bytes.
    return quote(match[0].encode("utf-8", "surrogatepass"), safe="")


def pair(
    recorded: RecordedSession,
    views: ComparedViews | None,
    more_checks: Iterable[SessionCheck] = (),
    ledger: Iterable[Comparison] = (),
    account_split: Severity = Severity.WARN,
) -> tuple[Comparison, ...]:
    """All comparisons of a session whose sides have been replayed, sorted by kind and key.

    `views` are those of `compared_views`; `ledger` are the comparisons of each side with its own
    replay; `account_split` is the severity of sums that the sides have in other accounts.
    """
    comparisons = [
        *ledger,
        *_pair_states(recorded, views, plain=accounts_are_one(recorded)),
        *_session_comparisons(recorded, more_checks, account_split),
    ]
    return tuple(sorted(comparisons, key=lambda comparison: comparison.identity))


def session_time(recorded: RecordedSession) -> datetime | None:
    """The time of a session's diffs: the external `as_of`, else the internal one."""
    side = recorded.external or recorded.internal
    return None if side is None else side.as_of


def _session_comparisons(
    recorded: RecordedSession, more_checks: Iterable[SessionCheck], severity: Severity
) -> list[Comparison]:
    as_of = session_time(recorded)
    comparisons = {name: Comparison(ItemKind.SESSION, name, name, as_of) for name in SESSION_CHECKS}
    split = split_check(recorded, severity)
    more_checks = more_checks if split is None else (*more_checks, split)
    for check in more_checks:
        key = encode_key(check.name)
        if key in comparisons:
            name = quoted(check.name)
            raise SessionError(f"recon_checks: check {name} is a duplicate or built in")
        comparisons[key] = Comparison(ItemKind.SESSION, key, check.name, as_of, check=check)
    return list(comparisons.values())


def _pair_states(
    recorded: RecordedSession, views: ComparedViews | None, *, plain: bool
) -> Iterator[Comparison]:
    """Yield comparisons of what both sides list, in the views that they compare."""
    notes = _duplicate_notes(recorded)
    positions = _both(recorded, lambda record: summed(record.positions, plain=plain))
    balances = _both(recorded, lambda record: summed(record.cash, plain=plain))
    listed = [
        *_paired_states(ItemKind.POSITION, recorded, positions, notes, plain=plain),
        *_paired_states(
            ItemKind.CASH, recorded, balances, _by_currency(recorded, notes), plain=plain
        ),
    ]
    if views is None:
        yield from listed
        return
    yield from filter(views.compare, listed)
    ours, theirs = (holdings(recorded, views, side, plain=plain) for side in LedgerSide)
    yield from _paired_states(ItemKind.HOLDING, recorded, (ours, theirs), {}, plain=plain)


def _paired_states(
    kind: ItemKind,
    recorded: RecordedSession,
    rows: tuple[Iterable[Position | CashBalance], Iterable[Position | CashBalance]],
    notes: Mapping[str, list[str]],
    *,
    plain: bool,
) -> Iterator[Comparison]:
    """Yield a comparison for each position, balance or holding that either side lists."""
    as_of, in_floats = session_time(recorded), bool(float_sides(recorded))
    for key, internal, external in paired(*rows, lambda row: state_key(row, plain=plain)):
        name = key[0]
        of_position = kind is ItemKind.POSITION
        yield Comparison(
            item_kind=kind,
            key=key_text(*key),
            name=name,
            as_of=as_of,
            internal=internal,
            external=external,
            unit=position_unit(name, recorded.instruments) if of_position else name,
            notes=tuple(notes.get(name, ())),
            in_floats=in_floats,
        )


def state_key(row: Position | CashBalance, *, plain: bool) -> tuple[str, Leg, str | None]:
    """Return the name, the leg and the account of a row; with `plain` no account."""
    account = None if plain else row.account
    if isinstance(row, Position):
        return row.symbol, row.leg, account
    return row.currency, Leg.NET, account


def float_sides(recorded: RecordedSession) -> frozenset[LedgerSide]:
    """The sides that speak for themselves and computed in binary floats."""
    records = recorded.own_records().items()
    return frozenset(side for side, record in records if record.numbers is Numbers.FLOAT)


def _both(
    recorded: RecordedSession, section: Callable[[SideRecord], tuple[Row, ...] | None]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """A section of both sides, empty where one side does not report it."""
    if recorded.internal is None or recorded.external is None:
        return (), ()
    internal, external = section(recorded.internal), section(recorded.external)
    return ((), ()) if internal is None or external is None else (internal, external)


def paired(
    internal: Iterable[Row], external: Iterable[Row], key_of: Callable[[Row], Key]
) -> Iterator[tuple[Key, Row | None, Row | None]]:
    """Every key of either side, with the row of each side that has one."""
    ours_by_key = {key_of(row): row for row in internal}
    theirs = {key_of(row): row for row in external}
    return ((key, ours_by_key.get(key), theirs.get(key)) for key in {**ours_by_key, **theirs})


def key_text(name: str, leg: Leg, account: str | None) -> str:
    """The key of a position or a balance: leg and account where they are not the default."""
    key = encode_key(name)
    if leg is not Leg.NET:
        key += f",leg={leg}"
    if account is not None:
        key += f",account={encode_key(account)}"
    return key


def position_unit(symbol: str, instruments: Mapping[str, Instrument]) -> str:
    """Return the unit of a quantity of `symbol`, for display; empty where it is not known."""
    instrument = instruments.get(symbol)
    if instrument is not None and instrument.instrument_kind is InstrumentKind.EQUITY:
        return "shares"
    if instrument is not None:
        return instrument.base if instrument.instrument_kind.delivers else "contracts"
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    return match[1] if match else ""


def duplicate_notes(recorded: RecordedSession) -> list[str]:
    """A note on every fill and every movement that one side states more than once."""
    notes = [note for notes in _duplicate_notes(recorded).values() for note in notes]
    for side, record in recorded.own_records().items():
        copies = movement_table_of(record.movements).copies()
        notes += [
            f"{side} lists movement {printable(movement_id, 60)} {count} times; each is counted"
            for (_, movement_id), count in copies.items()
        ]
    return notes


def _duplicate_notes(recorded: RecordedSession) -> dict[str, list[str]]:
    """For each symbol, a note on every fill that one side states more than once."""
    notes: dict[str, list[str]] = {}
    for side, record in recorded.own_records().items():
        for (_, symbol, fill_id), count in record.table.copies().items():
            fill = f"{side} lists fill {printable(fill_id, 60)} of {printable(symbol, 60)}"
            notes.setdefault(symbol, []).append(f"{fill} {count} times; each is counted")
    return notes


def _by_currency(
    recorded: RecordedSession, notes_by_symbol: Mapping[str, list[str]]
) -> dict[str, list[str]]:
    notes: dict[str, list[str]] = {}
    for symbol, texts in notes_by_symbol.items():
        instrument = recorded.instruments.get(symbol)
        if instrument is not None:
            for currency in sorted({instrument.base, instrument.quote}):
                notes.setdefault(currency, []).extend(texts)
    return notes
