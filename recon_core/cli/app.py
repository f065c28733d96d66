"""The group of all sub-commands, each loaded when it is asked for, and the exit codes.

One table (design, "The `recon` command"): 0 answered or clear, 2 findings or blocked,
1 cannot be judged, 64 wrong usage, 130 interrupted. A sub-command ends with `ctx.exit(code)`;
it raises `ReconError` for what cannot be judged and `click.UsageError` for wrong usage.
"""

import errno
import io
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NoReturn

import click

from recon_core import __version__
from recon_core.values.errors import OUTPUT_LOST, ReconError
from recon_core.values.printable import printable, quoted

CLEAR: Final = 0
"""Exit status of a run without findings."""
CANNOT_JUDGE: Final = 1
"""Exit status where there is no verdict: a file is damaged or cannot be read."""
FINDINGS: Final = 2
"""Exit status of a run with findings."""
WRONG_USAGE: Final = 64
"""Exit status of a wrong command line, BSD's `EX_USAGE`."""
INTERRUPTED: Final = 130
"""Exit status after Ctrl-C: 128 and the number of SIGINT."""

COMMANDS: Final = {
    "check": "recon_core.cli.check:check",
    "audit": "recon_core.cli.audit:audit",
    "alert": "recon_core.cli.alert:alert",
    "explain": "recon_core.cli.explain:explain",
    "repair": "recon_core.cli.repair:repair",
    "mutate": "recon_core.cli.mutate:mutate",
    "waive": "recon_core.cli.waive:waive",
    "baseline": "recon_core.cli.baseline:baseline",
    "init": "recon_core.cli.init:init",
    "policy": "recon_core.cli.policy:policy",
    "report": "recon_core.cli.report:report",
    "snapshot": "recon_core.cli.snapshot:snapshot",
    "run": "recon_core.cli.run:run",
    "convert": "recon_core.cli.convert:convert",
    "formats": "recon_core.cli.formats:formats",
    "schema": "recon_core.cli.schema:schema",
    "completion": "recon_core.cli.completion:completion",
}
"""The sub-commands in the order of the help, each with the place it is loaded from."""

_REFUSED_WRITES: Final = frozenset(
    {errno.EBADF, errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
)
"""Errors of a stream that takes no text; a command names the files that it writes."""

CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

EPILOG: Final = """\b
Examples:
  recon check recordings/
  recon check day.recon.json --policy recon.toml --junit recon.xml
  recon audit diffs --min-severity WARN --limit 20
  recon explain day.recon.json
  recon convert run/ -o run.recon.json
  recon schema session > session.schema.json

\b
Exit codes:
  0   clear, or answered without findings
  1   cannot be judged: nothing readable, a damaged log, a report not written
  2   blocked, or findings (audit, explain: with --exit-on-findings)
  64  wrong usage
  130 interrupted by Ctrl-C
"""


class CommandGroup(click.Group):
    """A group that without arguments shows its usage and ends with 1."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the group's own options; without any argument there is nothing to do."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help())
            ctx.exit(CANNOT_JUDGE)
        return super().parse_args(ctx, args)


class LazyGroup(CommandGroup):
    """Sub-commands by name and place, imported at their first use."""

    def __init__(self, places: Mapping[str, str], **settings: Any) -> None:
        super().__init__(**settings)
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The names in the order of the help."""
        return list(self._places)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> click.Command | None:
        """The command, `None` where there is none of that name."""
        place = self._places.get(cmd_name)
        return None if place is None else load_command(place)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; the error for one that does not exist has the nearest name.

        click compares with commands that are loaded, which these are not.
        """
        if args and not args[0].startswith("-") and args[0] not in self._places:
            from recon_core.values.suggestions import did_you_mean  # noqa: PLC0415  # for an error

            meant = did_you_mean(args[0], self._places)
            ctx.fail(f"no such command {quoted(args[0])}; {meant}")
        return super().resolve_command(ctx, args)


def load_command(place: str) -> click.Command:
    """Import the command at `module:attribute`."""
    module, _, name = place.partition(":")
    command = getattr(import_module(module), name)
    assert isinstance(command, click.Command)  # noqa: S101  # the table is this module's
    return command


recon = LazyGroup(
    COMMANDS,
    name="recon",
    help="Reconcile recorded trading sessions, and ask the audit trail about past runs.",
    epilog=EPILOG,
    context_settings=CONTEXT,
)
click.version_option(__version__, message="%(prog)s %(version)s")(recon)


def main(args: Sequence[str] | None = None) -> None:
    """Run `recon` with `args`, by default the process's own, and exit."""
    run(recon, "recon", args)


def show_recon_audit(args: Sequence[str] | None = None) -> None:
    """Run `recon audit` under the runbook's name for it, and exit."""
    run(load_command(COMMANDS["audit"]), "show_recon_audit", args)


def run(command: click.Command, name: str, args: Sequence[str] | None) -> NoReturn:
    """Run a command and exit with its code; every error is one line on stderr.

    An answer that a stream did not take is no answer: the code is 1 then, whatever the
    verdict was. Wrong usage and an interruption keep their codes.
    """
    _prepare_streams()
    streams = (sys.stdout, sys.stderr)
    code, message = _outcome(command, name, args)
    lost = _lost(streams[0])
    if sys.stdout is not streams[0]:
        lost = os.strerror(errno.EPIPE)  # click takes a broken pipe, and its streams, aside
    if lost is not None:
        message = message or OUTPUT_LOST.format(lost)
    if message is not None:
        _complain(message)
    if (_lost(streams[1]) or lost) is not None and code in {CLEAR, FINDINGS}:
        code = CANNOT_JUDGE
    sys.exit(code)


def _outcome(
    command: click.Command, name: str, args: Sequence[str] | None
) -> tuple[int, str | None]:
    """The code of a command, and what it has to say on stderr."""
    try:
        return _result(command, name, args), None
    except click.UsageError as error:
        return WRONG_USAGE, _usage_text(error, name)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED, "interrupted: no answer"
    except Exception as error:  # noqa: BLE001  # a fault of ours or a plugin's is no verdict
        return CANNOT_JUDGE, _error_text(error)


def _error_text(error: Exception) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ReconError):
        return str(error)
    if isinstance(error, OSError):
        text = OUTPUT_LOST if error.errno in _REFUSED_WRITES else "{}"
        return text.format(_reason(error))
    return f"internal error: {type(error).__name__}: {error}"


def _result(command: click.Command, name: str, args: Sequence[str] | None) -> int:
    try:
        given: Any = command.main(
            None if args is None else list(args),
            prog_name=name,
            standalone_mode=False,
            # click itself leaves the escapes out where there is no terminal.
            color=False if os.environ.get("NO_COLOR") else None,
        )
    except SystemExit as ending:
        if isinstance(ending.code, str):
            raise ReconError(ending.code) from None
        given = ending.code
    # click hands back the code of ctx.exit(), or what a callback returns.
    return given if isinstance(given, int) else CLEAR


class _ClosedStream(io.TextIOBase):
    """A stream that was closed before the process began; Python has none then."""

    _refused = False

    def write(self, text: str, /) -> int:  # noqa: ARG002  # a stream's signature
        """Refuse the text, so that whoever writes ends there."""
        self._refused = True
        self.flush()
        return 0

    def flush(self) -> None:
        """Raise `OSError` where something was to be written."""
        if self._refused:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _prepare_streams() -> None:
    """See to it that there are streams, and that a narrow encoding escapes what it cannot show."""
    sys.stdout = sys.stdout or _ClosedStream()
    sys.stderr = sys.stderr or _ClosedStream()
    if isinstance(sys.stdout, io.TextIOWrapper):  # a test's stream is none
        sys.stdout.reconfigure(errors="backslashreplace")


def _lost(stream: Any) -> str | None:
    """Return the reason why a stream did not take its text, `None` where it took everything.

    Such a stream is closed, or the interpreter would try once more while it ends.
    """
    if getattr(stream, "closed", False):  # a test's stream may not know
        return None
    try:
        stream.flush()
    except OSError as error:
        with suppress(OSError):
            stream.close()
        return _reason(error)
    return None


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _usage_text(error: click.UsageError, name: str) -> str:
    path = name if error.ctx is None else error.ctx.command_path
    return f"{error.format_message().strip().rstrip('.')}; see {path} --help"


def _complain(message: str) -> None:
    # A list of choices comes on several lines.
    line = printable(" ".join(message.split()), 2000)
    with suppress(OSError):
        click.echo(f"recon: {line}", err=True)
