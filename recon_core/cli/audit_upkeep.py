"""`recon audit rotate` and `recon audit close`: leave a file of a log for a new one."""

from pathlib import Path

import click

from recon_core.audit.log_file import LogFile
from recon_core.audit.query import Answer
from recon_core.audit.succession import Succession
from recon_core.cli.audit_steps import AUDIT_LOG, document
from recon_core.values.printable import printable

TIMEOUT = 10.0
"""Seconds to wait for other writers, as they wait for each other."""


def rotate_log(path: Path, *, as_json: bool) -> None:
    """Leave the file of a log for a new one, and say so."""
    _print_succession(path, LogFile(path, TIMEOUT).rotate(), as_json=as_json)


def close_log(
    path: Path, closed_by: str, reason: str, places: tuple[Path, ...], *, as_json: bool
) -> None:
    """Sign a damaged log off, leave it for a new file, and say so."""
    _print_succession(
        path, LogFile(path, TIMEOUT).close(closed_by, reason, places), as_json=as_json
    )


def _print_succession(path: Path, succession: Succession, *, as_json: bool) -> None:
    shown = printable(path.name)
    if as_json:
        item = {name: value for name, value in succession.details().items() if name != "latest"}
        click.echo(document(Answer(AUDIT_LOG, [item], 1)))
        return
    problem = (
        "" if succession.problem is None else f"; closed: {printable(succession.problem, 500)}"
    )
    click.echo(f"{shown} continues in a new file after {succession}{problem}")
