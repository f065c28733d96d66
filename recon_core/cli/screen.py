"""The terminal that the `recon` command writes to: its columns, and if it takes colours."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click

from recon_core.reports.layout import Screen

COLOR_OPTION: Final = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour by severity; auto asks NO_COLOR, FORCE_COLOR and the terminal.",
)


def format_option(json_is: str) -> Callable[[Any], Any]:
    """Return the option that chooses text or JSON; `json_is` is the help on JSON."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help=json_is,
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


@contextmanager
def progress(
    steps: int, shown: Callable[[], str | None] = lambda: None
) -> Iterator[Callable[[], None]]:
    """Yield what to call after each step: it moves a bar on standard error where somebody watches.

    `shown` gives what is said beside the bar, `None` for nothing.
    """
    if os.environ.get("NO_COLOR") or not sys.stderr.isatty():
        yield lambda: None
        return

    def beside(_: object) -> str | None:
        return shown()

    with click.progressbar(
        length=steps, label="recon", file=sys.stderr, item_show_func=beside
    ) as bar:
        yield lambda: bar.update(1)


def show(text: str, on: Screen, *, err: bool = False) -> None:
    """Print an answer; its colours stay in it, whatever standard output is."""
    click.echo(text, color=on.coloured, err=err)
