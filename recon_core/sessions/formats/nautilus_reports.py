"""A directory of nautilus_trader's own reports as a recorded session.

The internal side is the fills report on the configured opening of `meta.json`: the
account report's first rows can already lack the first fill's commission. The
external side is what the engine reported: the last account row of each currency,
the signed sum of the positions report without its snapshot rows, and the orders
report. Both sides share one time, the latest in the recording (design, "Foreign
recordings"). Every report may be CSV or Parquet.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, Final

from recon_core.model import (
    InputFile,
    Instrument,
    Leg,
    Movement,
    Opening,
    Order,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.model.records import WHOLE_FILE
from recon_core.sessions.files import (
    exists,
    inside,
    read_lined_file,
    read_text_file,
)
from recon_core.sessions.formats.nautilus_accounts import (
    Accounts,
    Report,
    last_balances,
    opening_of,
    precisions,
    stated_balances,
    strategies,
)
from recon_core.sessions.formats.nautilus_instruments import instrument, kept_views
from recon_core.sessions.formats.nautilus_legs import Legs
from recon_core.sessions.formats.nautilus_meta import ANCHOR, TABLES, Meta
from recon_core.sessions.formats.nautilus_orders import filled_any, left_out_note, orders
from recon_core.sessions.formats.nautilus_rows import Row, cell, fill, movement, time
from recon_core.sessions.formats.rows import each_of
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.parquet import parquet_rows
from recon_core.sessions.tables import csv_rows, read_table
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable


def read_reports(directory: Path) -> RecordedSession:
    """Read the recording in a directory; what no recording states is not among its notes."""
    return _Recording(directory).read()


_NAMES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "fills": ("fills", "", ("trade_id",)),
    "orders": ("orders", "", ("client_order_id", "venue_order_id")),
    "positions": ("positions", "is_snapshot", ("instrument_id",)),
    "movements": ("movements", "", ("movement_id",)),
    "cash": ("account_*", "", ("currency",)),
}
"""By section its report, a column that is not True in its rows, and the columns that name them."""


def located_rows(directory: Path, section: str) -> Iterator[tuple[str, Path, int]]:
    """Yield the rows of the reports of a recording, as `RowLocator` says; the latest first."""
    stem, other, columns = _NAMES[section]
    for path in sorted(path for end in TABLES for path in directory.glob(stem + end)):
        if path.suffix == ".parquet":
            yield WHOLE_FILE, path, 1
            continue
        rows = list(read_table(directory, path.name).numbered())
        # Of several balances of a currency the last one counts.
        for line, row in reversed(rows):
            if row.get(other) != "True":
                yield from ((row[one], path, line) for one in columns if one in row)


@dataclass(slots=True)
class _Recording:
    """Reads the files of one directory and collects what was read on the way."""

    directory: Path
    inputs: list[InputFile] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    strategies: set[str] = field(default_factory=set)

    def read(self) -> RecordedSession:
        meta = Meta(self._json(ANCHOR))
        venues = meta.opening_balances()
        accounts = {venue: self._account(venue) for venue in venues}
        opening = [
            one for venue in venues for one in opening_of(venues[venue], accounts[venue].rows)
        ]
        stated = stated_balances(accounts.values())
        ordered = self._report("orders")
        filled = self._fills(ordered)
        legs = Legs(filled.rows, each_of(filled.rows, filled.name, fill))
        self.times += [one.time for one in legs.fills]
        positions = self._positions(legs)
        listed = self._orders(ordered)
        self.times += [one.time for one in listed or ()]
        instruments = self._instruments(accounts, filled.rows)
        as_of = max(self.times)
        return RecordedSession(
            session_id=meta.session() or self.directory.resolve().name,
            anchor=self.directory / ANCHOR,
            strategy_id=",".join(sorted(self.strategies)),
            instruments=instruments,
            currencies=precisions([*stated, *opening]),
            internal=SideRecord(
                as_of=as_of,
                source="nautilus_trader fills",
                fills=legs.fills,
                movements=self._movements(),
                opening=Opening(None, cash=tuple(opening)),
                locator=partial(located_rows, self.directory),
            ),
            external=SideRecord(
                as_of=as_of,
                source="nautilus_trader reports",
                positions=positions,
                cash=last_balances(stated),
                orders=listed,
                keeps=kept_views(instruments.values()),
                locator=partial(located_rows, self.directory),
            ),
            inputs=tuple(self.inputs),
            notes=() if ordered is None else tuple(left_out_note(ordered)),
        )

    def _json(self, name: str) -> Any:
        content = read_text_file(inside(self.directory, name))
        self.inputs.append(content.evidence)
        return parse_json(content.text, content.name, constants=True)

    def _exists(self, name: str) -> bool:
        return exists(self.directory / name)

    def _report(self, stem: str) -> Report | None:
        """A report by its name without ending; CSV before Parquet."""
        name = next((stem + end for end in TABLES if self._exists(stem + end)), None)
        return None if name is None else self._table(name)

    def _table(self, name: str) -> Report:
        path = inside(self.directory, name)
        if name.endswith(".parquet"):
            rows, evidence = parquet_rows(path)
        else:
            content = read_lined_file(path)
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

    def _fills(self, ordered: Report | None) -> Report:
        report = self._report("fills")
        # The engine returns an empty frame where nothing was filled; the orders
        # report is the evidence that this is so.
        if report is None and ordered is not None and not filled_any(ordered):
            self.strategies = strategies(ordered)
            return Report("fills.csv", [])
        if report is None:
            raise SessionError("fills.csv: is missing; expected the fills report of the engine")
        self.strategies = strategies(report)
        return report

    def _orders(self, ordered: Report | None) -> tuple[Order, ...] | None:
        """The orders as the engine reported them; `None` where it left no report."""
        if ordered is None:
            return () if self._known_empty("orders") else None
        return orders(ordered)

    def _known_empty(self, stem: str) -> bool:
        """True if a report says that there are no rows: CSV has no header of an empty frame."""
        return self._exists(f"{stem}.json") and self._json(f"{stem}.json") == []

    def _movements(self) -> tuple[Movement, ...] | None:
        """Return movements without a fill, where somebody recorded them: the engine has none."""
        report = self._report("movements")
        return None if report is None else tuple(each_of(report.rows, report.name, movement))

    def _positions(self, legs: Legs) -> tuple[Position, ...] | None:
        """The signed sum per instrument and leg; `None` where the engine left no report."""
        report = self._report("positions")
        if report is None:
            return () if self._known_empty("positions") else None
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
