"""The manifest beside the results of a snapshot: what each file is, and what is not covered.

`recon snapshot` writes it (docs/snapshot.md). A section of which any query failed is not reported,
for a part of its rows would look like a loss; every fault is a gap of the side, which the gate
turns into a CRITICAL. So are a file that is not what was written, a file that the manifest does
not know, and a snapshot that was never finished.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.sessions.formats import rows
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import parse_time

MANIFEST: Final = "coverage.json"
SCHEMA: Final = "recon.snapshot/1"
_STATUSES: Final = ("whole", "failed", "not offered", "not asked")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Statement of a manifest on the files beside it.

    `queries` are its entries by file; `withheld` the sections of which a query failed or is not
    offered; `gaps` what is not covered though it should be; `sizes` the contract sizes of markets.
    """

    as_of: datetime
    queries: Mapping[str, rows.Row]
    withheld: frozenset[str]
    gaps: tuple[str, ...]
    sizes: Mapping[str, Decimal]
    source: str
    notes: tuple[str, ...]

    def section_of(self, name: str) -> str | None:
        """Return the section of a file, empty for one that is kept for people only."""
        entry = self.queries.get(name)
        return None if entry is None else rows.optional_text(entry, "section") or ""

    def file_gaps(self, digests: Mapping[str, str]) -> list[str]:
        """Return the faults of the files, given the SHA-256 of each by name."""
        faults = [
            f"{printable(name)}: is no file of the snapshot"
            for name in digests
            if name not in self.queries
        ]
        for name, entry in self.queries.items():
            if name not in digests:
                faults.append(f"{_title(entry)}: {printable(name)} is missing")
            elif digests[name] != entry.get("sha256"):
                faults.append(f"{_title(entry)}: {printable(name)} was changed after the snapshot")
        return faults


def read_coverage(document: Any) -> Coverage:
    """Read a manifest; raises `SessionError`."""
    manifest = rows.table(document, "the manifest")
    if manifest.get("schema") != SCHEMA:
        raise SessionError(f"schema: {quoted(manifest.get('schema'))}; expected {SCHEMA!r}")
    if not rows.flag(manifest, "complete"):
        raise SessionError("the snapshot was not finished; expected another recon snapshot")
    queries = rows.each(rows.table_list(manifest, "queries"), "queries", _query)
    faults = [entry for entry in queries if entry["status"] == "failed"]
    absent = [entry for entry in queries if entry["status"] == "not offered"]
    files = [entry for entry in queries if "file" in entry]
    markets = rows.table(manifest.get("markets"), "markets")
    return Coverage(
        as_of=_time(manifest, "as_of"),
        queries={rows.text(entry, "file"): entry for entry in files},
        withheld=frozenset(str(entry.get("section")) for entry in (*faults, *absent)),
        gaps=(
            *(f"{_title(entry)}: {_shown(entry.get('error'))}" for entry in faults),
            *map(_shown, rows.table_list(manifest, "gaps")),
        ),
        sizes=dict(_sizes(markets)),
        source=rows.text(manifest, "exchange"),
        notes=tuple(_notes(manifest, absent)),
    )


def _notes(manifest: rows.Row, absent: Iterable[rows.Row]) -> Iterator[str]:
    for entry in absent:
        yield f"{_title(entry)}: not offered by the exchange"
    later = len(rows.table_list(manifest, "rolled_off"))
    if later:
        yield f"rows later than the balance were left out: {later}"


def _query(entry: rows.Row) -> rows.Row:
    status = rows.text(entry, "status")
    if status not in _STATUSES:
        raise SessionError(f"status: {quoted(status)}; expected one of {', '.join(_STATUSES)}")
    return entry


def _sizes(markets: rows.Row) -> Iterator[tuple[str, Decimal]]:
    for symbol, market in markets.items():
        size = rows.optional_number(rows.table(market, "markets"), "contractSize")
        if size is not None:
            yield symbol, size


def _title(entry: rows.Row) -> str:
    name = printable(str(entry.get("query")), 40).replace("_", " ")
    return f"{name} of {printable(str(entry['of']), 60)}" if entry.get("of") else name


def _shown(value: Any) -> str:
    return printable(str(value), 300)


def _time(manifest: rows.Row, name: str) -> datetime:
    try:
        return parse_time(rows.text(manifest, name))
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None
