"""Sessions and their policy, as several sub-commands take them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from recon_core.policy.settings import (
    EXPLAIN_CHOICES,
    FAIL_ON_CHOICES,
    ProjectSettings,
    effective_policy,
    find_settings,
    limits_of,
)
from recon_core.values.errors import ReconError
from recon_core.values.limits import limits_in_force, limits_line

if TYPE_CHECKING:
    from recon_core.engine.reconciliation import Explain, Reconciliation

POLICY_OPTION: Final = click.option(
    "--policy", metavar="FILE", help="Thresholds and tolerances (TOML)."
)
MAX_ITEMS_OPTION: Final = click.option(
    "--max-items",
    type=click.IntRange(min=0),
    metavar="N",
    help="Above N fills or orders the equal ones are one item.  [default: 20000]",
)
WAIVERS_OPTION: Final = click.option(
    "--waivers",
    metavar="FILE",
    multiple=True,
    help="Known differences that somebody answers for (TOML, repeatable).",
)
REPORT_OPTION: Final = click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FORMAT:PATH",
    help="Write a report: json, markdown, github, gitlab, sarif, html or junit (repeatable); "
    "- is standard output.",
)
AUDIT_LOG_OPTION: Final = click.option(
    "--audit-log", metavar="PATH", help="Append this run to an audit log."
)
AUDIT_ROTATE_OPTION: Final = click.option(
    "--audit-rotate", metavar="SIZE", help="Begin a new file of the log at this size, as 256MiB."
)
FAIL_ON_OPTION: Final = click.option(
    "--fail-on",
    type=click.Choice(FAIL_ON_CHOICES),
    help="The lowest severity that blocks.  [default: fail]",
)
EXPLAIN_OPTION: Final = click.option(
    "--explain",
    type=click.Choice(EXPLAIN_CHOICES),
    help="How far to search for what explains a difference.  [default: fast]",
)
LIMIT_OPTION: Final = click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=N",
    help="Change a limit on what an input may cost (repeatable).",
)
EFFORT_OPTION: Final = click.option(
    "--effort",
    type=click.Choice(["fast", "full"]),
    default="fast",
    show_default=True,
    help="How many operations the search may cost.",
)
REPAIR_EXCHANGE_OPTION: Final = click.option(
    "--repair-exchange",
    is_flag=True,
    help="Propose entries for the exchange too, which are left out otherwise.",
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions that a command names, and how they are reconciled."""

    anchors: Sequence[Path]
    policy: Any
    manager: Any
    max_items: int

    def reconciled(self, explain: "Explain | None") -> "Iterator[tuple[Path, Reconciliation]]":
        """Each session by its anchor."""
        from recon_core.engine.reconciliation import reconcile_session  # noqa: PLC0415  # the engine

        for anchor in self.anchors:
            yield (
                anchor,
                reconcile_session(
                    anchor, self.policy, self.manager, max_items=self.max_items, explain=explain
                ),
            )


def project_settings(ctx: click.Context, limits: Sequence[str]) -> ProjectSettings:
    """The settings of the working directory, with the limits put into force until `ctx` ends.

    `limits` are those of the command line: they hold over the settings, and while these
    are read. Raises `ReconError` for what is of no use.
    """
    ctx.with_resource(limits_in_force(limits_of([], limits, "--limit")))
    settings = find_settings(Path.cwd())
    ctx.with_resource(limits_in_force({**settings.limits, **limits_of([], limits, "--limit")}))
    return settings


def say_limits() -> None:
    """Say on stderr which limits are changed: they decide what is readable."""
    line = limits_line()
    if line is not None:
        click.echo(f"recon: {line}", err=True)


def named(
    ctx: click.Context,
    names: Sequence[str],
    policy: str | None,
    max_items: int | None,
    limits: Sequence[str],
) -> Sessions:
    """Return the sessions that words of a command line name; raises `click.UsageError`."""
    from recon_core.plugins.manager import extension_manager  # noqa: PLC0415  # brings the engine
    from recon_core.sessions.discovery import joined, named_sessions  # noqa: PLC0415

    directory = Path.cwd()
    try:
        settings = project_settings(ctx, limits)
        say_limits()
        source = settings.policy_source(None if policy is None else directory / policy)
        manager = extension_manager()
        found = joined(named_sessions(name, directory, manager) for name in names)
        return Sessions(found.anchors, _policy(source), manager, settings.most_items(max_items))
    except ReconError as error:
        raise click.UsageError(str(error)) from None


def _policy(source: Path | None) -> Any:
    try:
        return effective_policy(source)[0]
    except ReconError as error:
        raise ReconError(f"recon policy: {error}") from None
