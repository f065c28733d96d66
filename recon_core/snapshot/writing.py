"""The files of a snapshot: one for each query that is whole, and the manifest of all queries.

The manifest is written first, as one of a snapshot that is not complete, and last as it is: a
directory that a crash left behind is never taken for a whole account.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from recon_core.sessions.formats.ccxt_coverage import MANIFEST, SCHEMA
from recon_core.snapshot.asking import Asked
from recon_core.snapshot.recording import Recording, record_account
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")


def take_snapshot(
    exchange: Any,
    head: Mapping[str, Any],
    directory: Path,
    symbols: Sequence[str],
    since: datetime,
) -> Recording:
    """Ask an exchange for an account and write what it answers; raises `ReconError`.

    Whatever ends it before its last file leaves a snapshot that is refused as not finished.
    """
    prepare(directory, head)
    recording = record_account(exchange, symbols, since)
    write(directory, head, recording)
    return recording


def prepare(directory: Path, head: Mapping[str, Any]) -> None:
    """Make the directory that of a snapshot which is not complete; raises `ReconError`.

    The files of an earlier snapshot are removed; a directory with anything else is refused.
    """
    with refusing(directory):
        directory.mkdir(parents=True, exist_ok=True)
        former = sorted(directory.iterdir())
        if former and not (directory / MANIFEST).is_file():
            raise ReconError(
                f"{printable(directory)}: holds something else; expected an empty directory, "
                "or that of an earlier snapshot"
            )
        _write(directory / MANIFEST, {**head, "schema": SCHEMA, "complete": False})
        for path in former:
            if path.suffix == ".json" and path.name != MANIFEST:
                path.unlink()


def write(directory: Path, head: Mapping[str, Any], recording: Recording) -> None:
    """Write the files and the manifest of a recording; raises `ReconError`."""
    with refusing(directory):
        queries = [_written(directory, number, one) for number, one in enumerate(recording.asked)]
        clock = recording.clock
        manifest = {
            **head,
            "schema": SCHEMA,
            "complete": True,
            "as_of": format_time(recording.as_of),
            "since": format_time(recording.since),
            "symbols": recording.symbols,
            "clock": None
            if clock is None
            else {"offset_ms": clock.offset, "uncertainty_ms": clock.uncertainty},
            "markets": recording.markets,
            "queries": queries,
            "gaps": recording.gaps,
            "rolled_off": recording.rolled_off,
        }
        _write(directory / MANIFEST, manifest)


def _written(directory: Path, number: int, asked: Asked) -> dict[str, Any]:
    """Write the file of a query that is whole, and return its entry of the manifest."""
    entry: dict[str, Any] = {
        "query": asked.query.name,
        "of": asked.of,
        "section": asked.query.section,
        "status": asked.status,
        "error": asked.error,
        "requested": _time(asked.requested),
        "answered": _time(asked.answered),
        "pages": asked.pages,
        "requests": asked.requests,
    }
    if asked.status != "whole" or asked.query.name in ("time", "markets"):
        return entry
    result = asked.rows if asked.result is None else asked.result
    name = f"{number:02}-{asked.query.name}{_UNSAFE.sub('-', f' {asked.of}'.rstrip())}.json"
    digest = _write(directory / name, result)
    rows = len(result.get("total", ())) if isinstance(result, dict) else len(result)
    return {**entry, "rows": rows, "file": name, "sha256": digest}


def _write(path: Path, document: Any) -> str:
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text)
    return hashlib.sha256(text.encode()).hexdigest()


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else format_time(moment)
