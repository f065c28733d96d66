"""The terminal that the `recon` command writes to: its columns, and if it takes colours."""

import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, TypeVar

import click

from recon_core.reports.layout import Screen

_Item = TypeVar("_Item")

COLOR_OPTION: Final = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour by severity; auto asks NO_COLOR, FORCE_COLOR and the terminal.",
)


def screen(color: str) -> Screen:
    """Return the screen for an answer on standard output, `color` as the option has it."""
    return Screen(shutil.get_terminal_size().columns, coloured=_is_coloured(color))


def _is_coloured(color: str) -> bool:
    """Return the option's word, else NO_COLOR's, else FORCE_COLOR's, else the terminal's."""
    if color != "auto":
        return color == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def progress(items: Sequence[_Item]) -> AbstractContextManager[Iterable[_Item]]:
    """Return the items, with a bar on standard error where somebody watches."""
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        return nullcontext(items)
    return click.progressbar(items, label="recon", file=sys.stderr)


def show(text: str, on: Screen, *, err: bool = False) -> None:
    """Print an answer; its colours stay in it, whatever standard output is."""
    click.echo(text, color=on.coloured, err=err)
