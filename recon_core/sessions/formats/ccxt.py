"""ccxt's unified JSON as one side: balance, positions, my trades and orders.

Each file is what one unified call returned, as `json.dumps(exchange.fetch_…())`. A
directory holds any number of them. Values are binary floats. What ccxt gives as `null` is
unknown: where an amount depends on it, the file is refused. The raw answers under `info`
are not read, but for `positionSide` of a hedged position.

A directory that `recon snapshot` wrote has a manifest: values are exact then, the time is that of
the snapshot, and the side says what is not covered. A session that names the manifest itself is
refused without it; one that names the directory is then of plain results.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from recon_core.model import InputFile, Numbers, SideRecord
from recon_core.sessions.files import inside, read_text_file
from recon_core.sessions.foreign import SideSource, TakenSide
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.ccxt_account import balances, contract_sizes, positions
from recon_core.sessions.formats.ccxt_coverage import MANIFEST, Coverage, read_coverage
from recon_core.sessions.formats.ccxt_trading import fees, fills, orders
from recon_core.sessions.formats.ccxt_transfers import transfers
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.json_places import (
    after_space,
    elements,
    line_counter,
    members,
    place_of,
)
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable

FORMAT: Final = "ccxt"
CANNOT_KNOW: Final = (
    "the time of the call (the latest time in the files stands for it, unless as_of is given)",
    "the contract size of a trade or order (amounts are multiplied where a position tells it)",
    "balances and positions that the exchange leaves out because they are zero",
    "a fee that the exchange does not tell (it counts as none)",
    "funding, deposits and withdrawals",
)
"""Facts that results of this format do not state."""

_SECTIONS: Final = {"position": "positions", "trade": "trades", "order": "orders"}
_LISTS: Final = {"fills": "trades"}
"""Sections of a session whose rows ccxt calls otherwise."""
_MOST_FILES: Final = 1000
"""Files of one directory: each is the result of one call, and is read whole."""


def snapshot_directory(path: Path) -> Path:
    """Return the directory of a snapshot, which may be named by its manifest."""
    return path.parent if path.name == MANIFEST else path


def read_side(source: SideSource) -> TakenSide:
    """Read the results at a path as one side; raises `SessionError`."""
    if source.path.name == MANIFEST and not source.path.is_file():
        raise SessionError(f"{MANIFEST}: is missing; expected the manifest of a recon snapshot")
    source = replace(source, path=snapshot_directory(source.path))
    results = _Results(coverage=_coverage(source))
    for path in _files(source):
        content = read_text_file(path)
        name = path.resolve().relative_to(source.directory.resolve()).as_posix()
        results.inputs.append(InputFile(printable(name), content.evidence.sha256))
        if results.coverage is not None:
            if path.name == MANIFEST:
                continue
            results.digests[path.name] = content.evidence.sha256
        try:
            results.add(parse_json(content.text, "the result"), path.name)
        except SessionError as error:
            raise SessionError(f"{printable(name)}: {error}") from None
    record = replace(results.record(source.as_of), locator=partial(located_rows, source))
    return TakenSide(record, tuple(results.inputs))


def _coverage(source: SideSource) -> Coverage | None:
    path = source.path / MANIFEST
    if not path.exists():
        return None
    document = parse_json(read_text_file(path).text, MANIFEST)
    try:
        return read_coverage(document)
    except SessionError as error:
        raise SessionError(f"{MANIFEST}: {error}") from None


def _files(source: SideSource) -> list[Path]:
    if not source.path.is_dir():
        return [source.path]
    found = sorted(source.path.glob("*.json"))
    if not found:
        raise SessionError(f"{printable(source.path.name)}: holds no .json file; expected results")
    if len(found) > _MOST_FILES:
        raise SessionError(f"{printable(source.path.name)}: holds more than {_MOST_FILES} results")
    # A link in the directory must not lead out of it either.
    names = (path.relative_to(source.directory.resolve()) for path in found)
    return [inside(source.directory, str(name)) for name in names]


def located_rows(source: SideSource, section: str) -> Iterator[tuple[str, Path, int]]:
    """Yield the rows of the results at a path, as `RowLocator` says."""
    coverage = _coverage(source)
    for path in _files(source):
        if coverage is not None and not coverage.section_of(path.name):
            continue
        text = read_text_file(path).text
        line_of = line_counter(text)
        if section == "cash":
            totals = place_of(text, "total")
            found = () if totals is None else members(text, totals)
            yield from ((currency, path, line_of(place)) for currency, place in found)
            continue
        listed = list(elements(text, after_space(text, 0)))
        if listed and section in _sections(coverage, [row for _, row in listed], path.name):
            for place, row in listed:
                yield from ((name, path, line_of(place)) for name in _names(section, row))


def _sections(coverage: Coverage | None, listed: list[rows.Row], name: str) -> tuple[str, ...]:
    """Return the sections of a session that rows of a file are in."""
    stated = None if coverage is None else coverage.section_of(name)
    found = stated or _section(listed, name)
    return ("fills", "movements") if found in ("trades", "fills") else (found,)


def _names(section: str, row: rows.Row) -> Iterator[str]:
    """Yield the names of a row in a section; a further fee is in the row of its trade."""
    if section == "positions":
        yield str(row.get("symbol"))
    elif section == "movements":
        yield from (f"{row.get('id')}.fee{n}" for n, _ in enumerate(row.get("fees") or (), 1))
        yield from (str(row.get("id")), f"{row.get('id')}.fee")
    else:
        yield from (str(row[name]) for name in ("id", "clientOrderId") if row.get(name))


@dataclass(slots=True)
class _Results:
    """The rows of all results by kind; a kind that no file lists is not reported."""

    balance: rows.Row | None = None
    lists: dict[str, list[rows.Row]] = field(default_factory=dict)
    inputs: list[InputFile] = field(default_factory=list)
    coverage: Coverage | None = None
    digests: dict[str, str] = field(default_factory=dict)

    def add(self, result: Any, name: str) -> None:
        if self.coverage is not None and self._placed(self.coverage, result, name):
            return
        if isinstance(result, dict):
            if self.balance is not None:
                raise SessionError("is a second balance; expected one")
            self.balance = result
        elif isinstance(result, list):
            listed: list[rows.Row] = rows.each(result, "the list", dict)
            self.lists.setdefault(_section(listed, name), []).extend(listed)
        else:
            raise SessionError("expected a balance, or a list of positions, trades or orders")

    def _placed(self, coverage: Coverage, result: Any, name: str) -> bool:
        """Add a list to the section that the manifest names; False for a balance."""
        section = coverage.section_of(name)
        if section == "cash":
            return False
        if section and isinstance(result, list):
            listed: list[rows.Row] = rows.each(result, "the list", dict)
            self.lists.setdefault(_LISTS.get(section, section), []).extend(listed)
        return True

    def record(self, as_of: datetime | None) -> SideRecord:
        """Return the side; with a manifest also its gaps, and nothing that is not whole."""
        held, trades, sent = (self.lists.get(name) for name in _SECTIONS.values())
        sizes = contract_sizes(held or [])
        if self.coverage is not None:
            sizes = {**self.coverage.sizes, **sizes}
        sections: dict[str, Any] = {
            "positions": None if held is None else positions(held),
            "cash": None if self.balance is None else balances(self.balance),
            "orders": None if sent is None else orders(sent, sizes),
            "fills": None if trades is None else fills(trades, sizes),
            "movements": fees(trades or []) or None,
        }
        if self.coverage is not None:
            return self._covered(self.coverage, sections, as_of)
        return SideRecord(
            as_of=as_of or self._latest(),
            source="ccxt",
            numbers=Numbers.FLOAT,
            notes=(limits_note(FORMAT, CANNOT_KNOW),),
            **sections,
        )

    def _covered(
        self, coverage: Coverage, sections: dict[str, Any], as_of: datetime | None
    ) -> SideRecord:
        moved = self.lists.get("movements")
        if moved is not None:
            sections["movements"] = (*(sections["movements"] or ()), *transfers(moved))
        gaps = (*coverage.gaps, *coverage.file_gaps(self.digests))
        whole: dict[str, Any] = {
            name: None if name in coverage.withheld else found for name, found in sections.items()
        }
        return SideRecord(
            as_of=as_of or coverage.as_of,
            source=coverage.source,
            complete=not gaps,
            gaps=gaps,
            notes=coverage.notes,
            **whole,
        )

    def _latest(self) -> datetime:
        listings = [*self.lists.values(), [self.balance or {}]]
        times = [time for listed in listings for row in listed if (time := _time(row)) is not None]
        if not times:
            raise SessionError("no result states a time; expected as_of beside the path")
        return max(times)


def _time(row: rows.Row) -> datetime | None:
    names = ("timestamp", "lastUpdateTimestamp", "lastTradeTimestamp")
    times = [time for name in names if (time := rows.milliseconds(row, name)) is not None]
    return max(times, default=None)


def _section(listed: Iterable[rows.Row], name: str) -> str:
    """Return the section of a list, by the fields of unified rows; an empty one by its name."""
    kinds = {_kind(row) for row in listed}
    if len(kinds) > 1:
        raise SessionError("lists several kinds of rows; expected one result in a file")
    for kind in kinds:
        return kind
    named = [section for word, section in _SECTIONS.items() if word in name.lower()]
    if len(named) != 1:
        raise SessionError(
            "is empty, and its name does not say of what; expected a name with positions, "
            "trades or orders"
        )
    return named[0]


def _kind(row: rows.Row) -> str:
    if "contracts" in row:
        return "positions"
    if "filled" in row and "status" in row:
        return "orders"
    if "takerOrMaker" in row or ("order" in row and "amount" in row):
        return "trades"
    raise SessionError("a row is no unified position, trade or order of ccxt")
