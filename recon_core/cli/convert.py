"""`recon convert`: any recording as one session file, equal input to equal bytes."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from recon_core.cli.app import CONTEXT
from recon_core.cli.session_options import LIMIT_OPTION, project_settings, say_limits
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from recon_core.model import RecordedSession

EPILOG = """\b
Examples:
  recon convert run/ -o run.recon.json
  recon convert tradesv3.dryrun.sqlite -o bot.recon.json
  recon convert day/session.recon.json -o day.recon.json
  recon convert ledgers.csv --format kraken_ledgers -o kraken.recon.json

\b
Exit codes:
  0   written
  1   cannot be read, or cannot be written
  64  wrong usage, also a name that matches no session or several

The file holds what the source says and nothing that is computed from it: recon check has
the same verdicts for both. Tables beside a session file and sides from other sources
become part of the one file.
"""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Write a recording of any format as a session file.",
)
@click.argument("source", metavar="SOURCE")
@click.option("-o", "--output", required=True, metavar="FILE", help="NAME.recon.json to write.")
@click.option(
    "--format",
    "statement",
    metavar="NAME",
    help="Read SOURCE as a shipped format, the external side; see recon formats.",
)
@click.option("--force", is_flag=True, help="Replace a FILE that holds something else.")
@LIMIT_OPTION
@click.pass_context
def convert(
    ctx: click.Context,
    /,
    source: str,
    output: str,
    limits: tuple[str, ...],
    *,
    statement: str | None,
    force: bool,
) -> None:
    """Read the one recorded session at SOURCE and write it as recon.session/1.

    SOURCE is a session file, a recording, a directory that holds one, or with --format the
    statement of a venue or a broker, which becomes the external side.
    """
    from recon_core.sessions.native_text import session_text  # noqa: PLC0415  # brings pydantic

    target = _target(output)
    try:
        project_settings(ctx, limits)
        say_limits()
    except ReconError as error:
        raise click.UsageError(str(error)) from None
    anchor = _anchor(source) if statement is None else Path.cwd() / source
    if _is_same_file(target, anchor):
        raise click.UsageError("-o: names the source; expected a file of its own")
    recorded = _read(anchor) if statement is None else _statement(anchor, statement)
    _write(target, session_text(recorded), output, force=force)
    click.echo(f"{printable(output)}: {printable(recorded.session_id)}, {_figures(recorded)}")


def _write(target: Path, text: str, output: str, *, force: bool) -> None:
    """Write whole or not at all; a session is evidence and is not replaced unasked."""
    from recon_core.values.files import refusing, write_atomically  # noqa: PLC0415  # not for the help

    with refusing(output):
        if target.exists() and target.read_bytes() == text.encode():
            return
        if target.exists() and not force:
            raise ReconError(f"{printable(output)}: holds something else; expected --force")
        write_atomically(target, text)


def _anchor(source: str) -> Path:
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415  # as the next one
    from recon_core.sessions.discovery import named_sessions  # noqa: PLC0415

    try:
        found = named_sessions(source, Path.cwd(), extension_manager()).anchors
    except ReconError as error:
        raise click.UsageError(str(error)) from None
    if len(found) > 1:
        raise click.UsageError(
            f"{quoted(source, 200)} matches {len(found)} sessions; expected one of them"
        )
    return found[0]


def _target(output: str) -> Path:
    from recon_core.sessions.directory_search import NATIVE_SUFFIX  # noqa: PLC0415  # not for the help

    path = Path.cwd() / output
    # os.path answers for a name that is too long, too.
    taken = os.path.lexists(path) and (path.is_symlink() or not path.is_file())
    if not path.name.endswith(NATIVE_SUFFIX) or taken:
        raise click.UsageError(
            f"-o: {quoted(output, 200)}; expected a file called like run{NATIVE_SUFFIX}"
        )
    return path


def _is_same_file(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _read(anchor: Path) -> "RecordedSession":
    from recon_core.sessions import read_session  # noqa: PLC0415  # brings pydantic

    try:
        recorded = read_session(anchor)
        _refuse_one_source(recorded)
    except ReconError as error:
        raise ReconError(f"cannot be converted: {error}") from None
    return recorded


def _statement(path: Path, name: str) -> "RecordedSession":
    from recon_core.sessions.formats.shipped import (  # noqa: PLC0415  # brings pydantic
        shipped_names,
        statement_session,
    )
    from recon_core.values.suggestions import did_you_mean  # noqa: PLC0415  # for errors

    if name not in shipped_names():
        near = did_you_mean(name, shipped_names(), 30)
        raise click.UsageError(f"--format: {quoted(name)} is no shipped format; {near}")
    try:
        return statement_session(path, name)
    except ReconError as error:
        raise ReconError(f"cannot be converted: {error}") from None


def _refuse_one_source(recorded: "RecordedSession") -> None:
    """Written out, the rows of one source would look like the words of two."""
    from recon_core.model import SECTIONS  # noqa: PLC0415  # not for the help

    shared = [section for section in SECTIONS if recorded.shares(section)]
    if shared and not recorded.mirrored:
        raise ReconError(f"{', '.join(shared)}: both sides were read from one source")


def _figures(recorded: "RecordedSession") -> str:
    """`internal 566 fills, external 1 cash`: what was written, by side."""
    from recon_core.model import SECTIONS  # noqa: PLC0415  # not for the help

    sides = []
    for side, record in recorded.own_records().items():
        counted = [f"{len(rows)} {name}" for name in SECTIONS if (rows := record.rows(name))]
        sides.append(f"{side} {', '.join(counted) or 'nothing'}")
    return "; ".join(sides) or "no side"
