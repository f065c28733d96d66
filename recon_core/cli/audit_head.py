"""`recon audit head`: the head of a log as a small file, for whatever signs files."""

import json
import re
from pathlib import Path
from typing import Any, Final

import click

from recon_core.audit.entries import RUN_COMMITTED
from recon_core.audit.entry_source import EntrySource
from recon_core.cli.audit_steps import without_collector
from recon_core.cli.audit_verify import refuse_broken
from recon_core.reports.written_path import written_path
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable, quoted

SCHEMA: Final = "recon.audit-head/1"
HASH: Final = re.compile("[0-9a-f]{64}")
_BEGINS: Final = re.compile(rb'\{\s*"schema":\s*"recon\.audit-head/')
_LONGEST: Final = 64 * 1024
"""Bytes of a head that are read; a whole one has a few hundred."""


@without_collector()
def head_text(reading: EntrySource) -> str:
    """Verify a log to its end, and return its head as JSON; the same log gives the same bytes."""
    run: dict[str, Any] = {}
    with reading.refusals():
        for entry in reading:
            if entry["event_type"] == RUN_COMMITTED:
                run = entry
        refuse_broken(reading)
    details = run.get("details", {})
    chains = [chain for _, chain in reading.chains]
    document = {
        "schema": SCHEMA,
        "log": reading.name,
        "files": len(chains),
        "entries": sum(chain.head.count for chain in chains),
        "hash": chains[-1].head.hash,
        "run_id": details.get("run_id"),
        "invocation_id": details.get("invocation_id"),
        "time": run.get("timestamp"),
    }
    return json.dumps(document, indent=2) + "\n"


def write_head(text: str, output: str | None) -> None:
    """Print a head, or write it to a file, whole or not at all."""
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        path = written_path(output, Path.cwd(), _BEGINS)
    except ReconError as error:
        raise click.BadParameter(str(error), param_hint="--output") from None
    with refusing(path.name):
        write_atomically(path, text)
    click.echo(f"head written to {printable(path.name)}")


def expected_head(text: str | None) -> str | None:
    """Return the hash that `--expect-head` gives, or the one in a file of `recon audit head`."""
    if text is None or HASH.fullmatch(text.lower()):
        return text and text.lower()
    try:
        with Path(text).open("rb") as file:
            found = json.loads(file.read(_LONGEST))
        if found["schema"] == SCHEMA and HASH.fullmatch(found["hash"]):
            return str(found["hash"])
    except (OSError, ValueError, TypeError, LookupError, RecursionError):
        pass
    raise click.BadParameter(
        f"{quoted(text)}; expected a hash of 64 hexadecimal digits, or a file that recon audit "
        "head wrote",
        param_hint="--expect-head",
    )
