"""A directory of nautilus_trader's own reports as a recorded session.

The internal side is the fills report on the configured opening of `meta.json`: the
account report's first rows can already lack the first fill's commission. The
external side is what the engine reported: the last account row of each currency,
and the signed sum of the positions report without its snapshot rows. Both sides
share one time, the latest in the recording (design, "Foreign recordings"). Every
report may be CSV or Parquet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from recon_core.amounts import EXACT, ZERO
from recon_core.errors import SessionError
from recon_core.hookspecs import hookimpl
from recon_core.model import (
    InputFile,
    Instrument,
    Leg,
    Movement,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.printable import printable
from recon_core.sessions.files import inside, read_text_file
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.formats.nautilus_accounts import (
    Accounts,
    Report,
    last_balances,
    opening_of,
    precisions,
    stated_balances,
    strategies,
)
from recon_core.sessions.formats.nautilus_instruments import instrument, limits
from recon_core.sessions.formats.nautilus_legs import Legs
from recon_core.sessions.formats.nautilus_rows import Row, amount, cell, fill, movement, time
from recon_core.sessions.formats.rows import each_of
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.parquet import parquet_rows
from recon_core.sessions.tables import csv_rows

FORMAT: Final = "nautilus"
ANCHOR: Final = "meta.json"
CANNOT_KNOW: Final = (
    "movements of cash without a fill, unless a movements table lies beside the reports",
    "the time of the reports (the latest time in them stands for it)",
    "positions of an account apart from the sum of their rows",
)
"""What the reports of this format do not tell."""

_ENGINE: Final = "nautilus_trader"
TABLES: Final = (".csv", ".parquet")


@hookimpl
def recon_anchor(path: Path) -> Path | None:
    """`meta.json` of the recording at `path`: its directory, or the file itself."""
    directory = path.parent if path.name == ANCHOR else path
    return directory / ANCHOR if directory.is_dir() and _is_recording(directory) else None


@hookimpl
def recon_read_session(path: Path) -> RecordedSession | None:
    """Read the recording at `path`, or `None` where it is none of nautilus_trader."""
    anchor = recon_anchor(path)
    return None if anchor is None else _Recording(anchor.parent).read()


def _is_recording(directory: Path) -> bool:
    """Recognise a recording by its files, a damaged one too: it must not go unseen."""
    names = {entry.name for entry in directory.iterdir()}
    accounts = any(name.startswith("account_") and name.endswith(TABLES) for name in names)
    if ANCHOR not in names:
        return accounts and "instruments.json" in names
    try:
        content = read_text_file(directory / ANCHOR)
        return bool(_engine(parse_json(content.text, content.name, constants=True)) == _ENGINE)
    except SessionError:
        return accounts or any(f"fills{ending}" in names for ending in TABLES)


def _engine(meta: Any) -> Any:
    return meta.get("engine") if isinstance(meta, dict) else None


@dataclass(slots=True)
class _Recording:
    """Reads the files of one directory and collects what was read on the way."""

    directory: Path
    inputs: list[InputFile] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    strategies: set[str] = field(default_factory=set)

    def read(self) -> RecordedSession:
        meta = _Meta(self._json(ANCHOR))
        venues = meta.opening_balances()
        accounts = {venue: self._account(venue) for venue in venues}
        opening = [
            one for venue in venues for one in opening_of(venues[venue], accounts[venue].rows)
        ]
        stated = stated_balances(accounts.values())
        filled = self._fills()
        legs = Legs(filled.rows, each_of(filled.rows, filled.name, fill))
        self.times += [one.time for one in legs.fills]
        positions = self._positions(legs)
        instruments = self._instruments(accounts, filled.rows)
        as_of = max(self.times)
        return RecordedSession(
            session_id=meta.session() or self.directory.resolve().name,
            anchor=self.directory / ANCHOR,
            strategy_id=",".join(sorted(self.strategies)),
            recording_format=FORMAT,
            instruments=instruments,
            currencies=precisions([*stated, *opening]),
            internal=SideRecord(
                as_of=as_of,
                source="nautilus_trader fills",
                fills=legs.fills,
                movements=self._movements(),
                opening=Opening(None, cash=tuple(opening)),
            ),
            external=SideRecord(
                as_of=as_of,
                source="nautilus_trader reports",
                positions=positions,
                cash=last_balances(stated),
            ),
            inputs=tuple(self.inputs),
            notes=(limits_note(FORMAT, CANNOT_KNOW), *limits(instruments, legs.fills)),
        )

    def _json(self, name: str) -> Any:
        content = read_text_file(inside(self.directory, name))
        self.inputs.append(content.evidence)
        return parse_json(content.text, content.name, constants=True)

    def _exists(self, name: str) -> bool:
        return (self.directory / name).exists()

    def _report(self, stem: str) -> Report | None:
        """A report by its name without ending; CSV before Parquet."""
        name = next((stem + end for end in TABLES if self._exists(stem + end)), None)
        return None if name is None else self._table(name)

    def _table(self, name: str) -> Report:
        path = inside(self.directory, name)
        if name.endswith(".parquet"):
            rows, evidence = parquet_rows(path)
        else:
            content = read_text_file(path)
            rows, evidence = csv_rows(content), content.evidence
        self.inputs.append(evidence)
        return Report(name, rows)

    def _account(self, venue: str) -> Report:
        stem = f"account_{venue}"
        report = self._report(stem) or self._table(f"{stem}.csv")
        if not report.rows:
            name = printable(report.name)
            raise SessionError(f"{name}: has no rows; expected the opening at least")
        self.times += each_of(report.rows, report.name, lambda row: time(row, ""))
        return report

    def _fills(self) -> Report:
        report = self._report("fills")
        if report is not None:
            self.strategies = strategies(report)
            return report
        # The engine returns an empty frame where nothing was filled; the orders
        # report is the evidence that this is so.
        orders = self._report("orders")
        if orders is not None and not any(
            each_of(orders.rows, orders.name, lambda row: amount(row, "filled_qty"))
        ):
            self.strategies = strategies(orders)
            return Report("fills.csv", [])
        raise SessionError("fills.csv: is missing; expected the fills report of the engine")

    def _movements(self) -> tuple[Movement, ...] | None:
        """What moved without a fill, where somebody recorded it: the engine itself does not."""
        report = self._report("movements")
        return None if report is None else tuple(each_of(report.rows, report.name, movement))

    def _positions(self, legs: Legs) -> tuple[Position, ...] | None:
        """The signed sum per instrument and leg; `None` where the engine left no report."""
        report = self._report("positions")
        if report is None:
            known_empty = self._exists("positions.json") and self._json("positions.json") == []
            return () if known_empty else None
        sums: dict[tuple[str, str, Leg], Decimal] = {}
        current = [row for row in report.rows if cell(row, "is_snapshot") != "True"]
        for where, quantity in each_of(current, report.name, legs.position):
            sums[where] = EXACT.add(sums.get(where, ZERO), quantity)
        return tuple(
            Position(symbol, quantity, account=account, leg=leg)
            for (account, symbol, leg), quantity in sums.items()
        )

    def _instruments(
        self, accounts: Mapping[str, Report], fills: list[Row]
    ) -> dict[str, Instrument]:
        tables = self._json("instruments.json")
        if not isinstance(tables, list):
            raise SessionError("instruments.json: expected a list of instruments")
        known = Accounts(accounts, fills)
        found = each_of(tables, "instruments.json", lambda table: instrument(table, known))
        return {one.symbol: one for one in found}


@dataclass(frozen=True, slots=True)
class _Meta:
    """What `meta.json` says; unknown keys are the engine's own business."""

    table: Any

    def session(self) -> str | None:
        name = self.table.get("session")
        return name if isinstance(name, str) and name else None

    def opening_balances(self) -> dict[str, list[str]]:
        """The configured opening of each venue: `{"BINANCE": ["1.00000000 BTC"]}`."""
        if _engine(self.table) != _ENGINE:
            raise SessionError(f"{ANCHOR}: engine; expected {_ENGINE!r}")
        venues = self.table.get("configured_starting_balances")
        if not isinstance(venues, dict) or not venues or not all(map(_is_texts, venues.values())):
            raise SessionError(
                f"{ANCHOR}: configured_starting_balances: is missing or no lists of text; expected "
                'the configured opening, like {"BINANCE": ["100000.00000000 USDT"]}'
            )
        return venues


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
