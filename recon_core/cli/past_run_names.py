"""Names of past commands on a command line, looked up in a log or read from a report."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from recon_core.audit.database import DatabaseLog
    from recon_core.audit.past_runs import PastRun

LOG_OPTION: Final = click.option(
    "--json",
    "source",
    metavar="PATH",
    help="An audit log or an export; - is standard input.  [default: recon_audit_log]",
)


def past_runs(names: Sequence[str], source: "str | Path | DatabaseLog | None") -> "list[PastRun]":
    """Return the commands that are named: `last`, `last~1`, an id, or the file of a report.

    `source` is the log that is asked, by default that of the setting. Raises `ReconError` where
    there is no such command.
    """
    from recon_core.audit.past_runs import read_report  # noqa: PLC0415  # not for the help

    paths = {name: Path(name) for name in names if name.endswith(".json") or Path(name).is_file()}
    asked = [name for name in names if name not in paths]
    found = _of_log(asked, source) if asked else {}
    return [read_report(paths[name]) if name in paths else found[name] for name in names]


def _of_log(
    names: Sequence[str], source: "str | Path | DatabaseLog | None"
) -> "dict[str, PastRun]":
    from recon_core.audit.filters import Filters  # noqa: PLC0415  # not for the help
    from recon_core.audit.past_runs import PastRunsSink, RunName  # noqa: PLC0415  # as that
    from recon_core.audit.runs import Trail  # noqa: PLC0415  # as that
    from recon_core.cli.audit_options import (  # noqa: PLC0415  # as that
        named_log,
        opened,
        require_log,
        standard_input,
    )
    from recon_core.values.errors import AuditError  # noqa: PLC0415  # as that

    log = named_log(source) if source is None or isinstance(source, str) else source
    require_log(log)
    wanted = {name: RunName(name) for name in names}
    sink = PastRunsSink(wanted.values())
    trail = Trail(Filters(), sink)
    with opened(log, standard_input(log), ()) as reading, reading.refusals():
        for entry in reading:
            trail.take(entry)
        trail.close()
    try:
        return {text: sink.found(name) for text, name in wanted.items()}
    except AuditError as error:
        raise reading.refused(str(error)) from None
