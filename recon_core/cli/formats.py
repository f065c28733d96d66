"""`recon formats`: the formats that are read, their mappings, and the nearest one of a file."""

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recon_core.cli.app import CONTEXT
from recon_core.cli.session_options import LIMIT_OPTION, project_settings, say_limits
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from recon_core.sessions.formats.shipped import Recognition

EPILOG = """\b
Examples:
  recon formats
  recon formats kraken_ledgers
  recon formats kraken_ledgers > my_kraken.toml
  recon formats downloads/ledgers.csv

\b
Exit codes:
  0   answered
  1   the file is in none of the shipped formats, or cannot be read
  64  wrong usage

A shipped format is a mapping. Printed, it is the beginning of one's own, which a session
file reads with "format": "table"; the file's path goes into each table of it.
"""

_OTHERS: Final = {
    "nautilus": "a directory of nautilus_trader's reports",
    "freqtrade": "a backtest's zip or JSON, or a bot's SQLite file",
    "lean": "a result of LEAN (QuantConnect), with its order events",
    "ccxt": "results of unified calls as JSON",
    "table": "tables of any kind, with a mapping of one's own",
}
"""Formats with a module each, which lists what they cannot know."""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="List the formats, print a mapping, or recognise a file.",
)
@click.argument("name", required=False, metavar="[NAME|FILE]")
@click.option("--sample", is_flag=True, help="Print the sample of NAME in place of its mapping.")
@LIMIT_OPTION
@click.pass_context
def formats(
    ctx: click.Context, /, name: str | None, limits: tuple[str, ...], *, sample: bool
) -> None:
    """List every format and what it cannot know, or say what NAME or FILE is.

    NAME is a shipped format: its mapping is printed. FILE is recognised: the answer names
    the formats that read it, or the nearest one and why it does not.
    """
    from recon_core.sessions.formats.shipped import shipped_names  # noqa: PLC0415  # brings pydantic

    if name is None:
        _list()
    elif name in shipped_names():
        _print(name, sample=sample)
    elif os.path.isfile(name):  # noqa: PTH113  # never raises, whatever the name is
        try:
            project_settings(ctx, limits)
            say_limits()
        except ReconError as error:
            raise click.UsageError(str(error)) from None
        _recognise(Path(name))
    else:
        from recon_core.values.suggestions import did_you_mean  # noqa: PLC0415  # for errors

        near = did_you_mean(name, shipped_names(), 30)
        raise click.UsageError(f"{quoted(name, 200)} is no shipped format and no file; {near}")


def _list() -> None:
    from recon_core.sessions.formats.shipped import (  # noqa: PLC0415  # brings pydantic
        shipped_mapping,
        shipped_names,
    )

    for name, about in _OTHERS.items():
        module = import_module(f"recon_core.sessions.formats.{name}")
        _say(name, about, module.CANNOT_KNOW)
    for name in shipped_names():
        mapping = shipped_mapping(name)
        _say(name, mapping.about or "", mapping.cannot_know)


def _say(name: str, about: str, cannot_know: Iterable[str]) -> None:
    click.echo(f"{name}: {about}")
    for limit in cannot_know:
        click.echo(f"  cannot know: {limit}")


def _print(name: str, *, sample: bool) -> None:
    from recon_core.sessions.formats.shipped import (  # noqa: PLC0415  # brings pydantic
        mapping_text,
        sample_of,
    )

    text = sample_of(name)[1].decode() if sample else mapping_text(name)
    click.echo(text, nl=not text.endswith("\n"))


def _recognise(path: Path) -> None:
    """Say which formats read a file; raises `ReconError` where none does."""
    from recon_core.sessions.formats.shipped import recognised  # noqa: PLC0415  # brings pydantic

    shown = printable(path.name)
    recording = _recording_format(path)
    if recording is not None:
        click.echo(f"{shown}: {recording}")
        return
    found = recognised(path)
    readers = [one.name for one in found if not one.problem]
    if not readers:
        raise ReconError(f"{shown}: is in no shipped format; {_nearest(found)}")
    for name in readers:
        click.echo(f"{shown}: {name}")


def _nearest(found: "Sequence[Recognition]") -> str:
    """Return the nearest format and why it does not read a file, else how to read any table."""
    if found:
        return f"nearest is {found[0].name}, but: {found[0].problem}"
    return (
        'a table of any kind is read with a mapping of one\'s own ("format": "table"; '
        "recon formats NAME prints one to begin with)"
    )


def _recording_format(path: Path) -> str | None:
    """The format of a session or a recording of both sides, `None` where a file is neither."""
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415  # as the next ones
    from recon_core.sessions import read_session  # noqa: PLC0415
    from recon_core.sessions.directory_search import NATIVE_SUFFIX  # noqa: PLC0415

    manager = extension_manager()
    is_native = path.name.endswith(NATIVE_SUFFIX)
    if not is_native and manager.hook.recon_anchor(path=path) is None:
        return None
    return read_session(path, manager).recording_format
