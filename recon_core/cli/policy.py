"""`recon policy check`: policies and files of waivers, without any session."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from recon_core.cli.app import CANNOT_JUDGE, CONTEXT, CommandGroup
from recon_core.cli.session_options import project_settings
from recon_core.policy.file_names import PYPROJECT
from recon_core.policy.model import MOST_WAIVER_DAYS
from recon_core.policy.settings import ProjectSettings, effective_policy
from recon_core.policy.waivers import WAIVER_FILES, today
from recon_core.reports.wording import counted
from recon_core.sessions.unjudged_paths import shown_path
from recon_core.values.errors import ReconError

if TYPE_CHECKING:
    from recon_core.policy.waivers import Waiver, Waivers

EPILOG: Final = """\b
Examples:
  recon policy check
  recon policy check recon.toml recon-waivers.toml

\b
Exit codes:
  0   every file can be used
  1   one cannot: unknown keys, wrong values, a date too far ahead, an id twice
  64  wrong usage
"""
_MOST: Final = 5
"""Waivers that a line names; more are counted."""
_SOON: Final = 14
"""Days ahead in which a waiver expires soon: two weeks to repair the cause."""


@click.group(
    cls=CommandGroup, context_settings=CONTEXT, short_help="Check policies and files of waivers."
)
def policy() -> None:
    """Check policies and files of waivers."""


@policy.command(epilog=EPILOG, short_help="Check the files that hold, or those that are named.")
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.pass_context
def check(ctx: click.Context, /, files: tuple[str, ...]) -> None:
    """Check policies and files of waivers; without FILE those that hold in this directory.

    A file with [[waiver]] entries is one of waivers; all of these are read together, since an id
    occurs once in all of them.
    """
    settings = project_settings(ctx, ())
    named = list(map(Path, files)) or _in_force(settings)
    waivers = [path for path in named if _holds_waivers(path)]
    problems = 0
    for line, is_problem in _lines([path for path in named if path not in waivers], waivers):
        problems += is_problem
        click.echo(line, err=is_problem)
    if problems:
        ctx.exit(CANNOT_JUDGE)


def _in_force(settings: ProjectSettings) -> list[Path]:
    source = settings.policy_source()
    return [*([] if source is None else [source]), *settings.waiver_sources()]


def _holds_waivers(path: Path) -> bool:
    """True for a file of waivers, by its name or by its entries; a broken one is a policy."""
    if path.name in WAIVER_FILES:
        return True
    from recon_core.policy.toml_file import load_toml  # noqa: PLC0415  # brings pydantic

    try:
        return "waiver" in load_toml(path)
    except ReconError:
        return False


def _lines(policies: list[Path], waivers: list[Path]) -> Iterator[tuple[str, bool]]:
    """Yield a line for each file, and true where it is a problem."""
    # Of a policy that is no use nobody knows how far ahead its waivers may expire.
    days = MOST_WAIVER_DAYS if policies else None
    for path in policies:
        try:
            found, name = effective_policy(path)
        except ReconError as error:
            yield f"recon: recon policy: {error}", True
            continue
        days = found.waiver_days
        of_pyproject = path.name == PYPROJECT and name != PYPROJECT
        said = "no [tool.recon]" if of_pyproject else "policy"
        yield f"{shown_path(path, Path.cwd())}: {said}", False
    if not policies:
        yield "policy built-in", False
    if waivers:
        yield from _waiver_lines(waivers, today(), _days() if days is None else days)


def _days() -> int:
    from recon_core.cli.waive import waiver_days  # noqa: PLC0415  # only with waivers alone

    return waiver_days()


def _waiver_lines(paths: list[Path], day: date, most: int) -> Iterator[tuple[str, bool]]:
    from recon_core.policy.waiver_file import read_waivers  # noqa: PLC0415  # brings pydantic

    try:
        found = read_waivers(paths, day, most)
    except ReconError as error:
        yield f"recon: recon waivers: {error}", True
        return
    yield f"{', '.join(found.files)}: {counted(len(found.entries), 'waiver')}", False
    yield from ((line, False) for line in _attention(found))


def _attention(found: "Waivers") -> Iterator[str]:
    """Yield the waivers that are over, and those that will be soon."""
    over = [waiver for waiver in found.entries if found.is_over(waiver)]
    soon = [
        waiver
        for waiver in found.entries
        if not found.is_over(waiver) and (waiver.expires - found.day).days <= _SOON
    ]
    for word, waivers in (("expired", over), (f"expire within {_SOON} days", soon)):
        if waivers:
            yield f"note: {len(waivers)} {word}: {_named(waivers)}"


def _named(waivers: "list[Waiver]") -> str:
    more = f" and {len(waivers) - _MOST} more" if len(waivers) > _MOST else ""
    return ", ".join(f"{waiver.id} ({waiver.expires})" for waiver in waivers[:_MOST]) + more
