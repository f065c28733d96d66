"""`recon snapshot`: the external side of a live or paper account, asked from its exchange."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from recon_core.cli.app import CONTEXT, FINDINGS
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted

if TYPE_CHECKING:
    from recon_core.snapshot.recording import Recording

EXCHANGE_ARGUMENT: Final = click.argument("exchange", metavar="EXCHANGE")
ACCOUNT_OPTION: Final = click.option(
    "--account", required=True, metavar="NAME", help="Whose keys: RECON_NAME_API_KEY."
)
KEYRING_OPTION: Final = click.option(
    "--keyring", is_flag=True, help="Take keys that the environment lacks from the keyring."
)
SANDBOX_OPTION: Final = click.option("--sandbox", is_flag=True, help="Ask the exchange's testnet.")
SETTINGS_OPTION: Final = click.option(
    "--settings", metavar="FILE", help="Settings of ccxt (JSON), without keys."
)

EPILOG: Final = """\b
Examples:
  recon snapshot binance --account paper --sandbox --for day.recon.json -o account/
  recon snapshot kraken --account main --symbol BTC/EUR --since 2026-01-01T00:00:00Z -o account/

\b
Exit codes:
  0   written, and everything that the exchange offers is covered
  1   not written: ccxt or a key is missing, an unknown exchange or symbol, a full disk
  2   written, and a query failed: the gate is CRITICAL for what it covers
  64  wrong usage

The keys are read from the environment: RECON_NAME_API_KEY, RECON_NAME_SECRET and what else the
exchange asks for; with --keyring also from the keyring, service recon/NAME. Give them the right
to read, and none to trade or to withdraw.
"""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Record an account at an exchange, through ccxt.",
)
@EXCHANGE_ARGUMENT
@ACCOUNT_OPTION
@click.option("-o", "--output", required=True, metavar="DIR", help="Directory of the snapshot.")
@click.option("--for", "session", metavar="SESSION", help="Take symbols and start of a session.")
@click.option("--symbol", "symbols", multiple=True, metavar="NAME", help="A symbol (repeatable).")
@click.option("--since", metavar="TIME", help="Rows from this time on (ISO 8601).")
@KEYRING_OPTION
@SANDBOX_OPTION
@SETTINGS_OPTION
@click.pass_context
def snapshot(
    ctx: click.Context,
    /,
    exchange: str,
    account: str,
    output: str,
    session: str | None,
    symbols: tuple[str, ...],
    since: str | None,
    settings: str | None,
    *,
    keyring: bool,
    sandbox: bool,
) -> None:
    """Ask EXCHANGE for balances, positions, orders, trades and transfers of an account.

    Each answer is a file of DIR; coverage.json beside them says what is whole and what is not.
    A session file takes DIR as its external side with the format ccxt.
    """
    from recon_core.audit.log_lock import locked  # noqa: PLC0415  # not for the help
    from recon_core.snapshot.exchange import open_exchange  # noqa: PLC0415  # as that
    from recon_core.snapshot.writing import take_snapshot  # noqa: PLC0415  # as that

    named, begun = _scope(session, symbols, since)
    asked = open_exchange(
        exchange, account, sandbox=sandbox, settings=ccxt_settings(settings), keyring=keyring
    )
    directory = Path.cwd() / output
    head = {"exchange": exchange, "account": account, "sandbox": sandbox}
    with locked(directory, 0):
        recording = take_snapshot(asked, head, directory, named, begun)
    for fault in recording.faults:
        click.echo(f"CRITICAL  {printable(fault, 400)}", err=True)
    click.echo(_text(output, recording))
    ctx.exit(FINDINGS if recording.faults else 0)


def _scope(
    session: str | None, symbols: tuple[str, ...], since: str | None
) -> tuple[list[str], datetime]:
    """Return the symbols and the start: those that are named win over those of the session."""
    from recon_core.snapshot.session_scope import session_scope  # noqa: PLC0415  # not for the help

    named, begun = list(symbols), None if since is None else _time(since)
    if session is not None and (not named or begun is None):
        found, first = session_scope(Path.cwd() / session)
        named, begun = named or found, begun or first
    if not named:
        raise click.UsageError("no symbol is named; expected --for SESSION or --symbol NAME")
    if begun is None:
        raise click.UsageError("no start is named; expected --for SESSION or --since TIME")
    return named, begun


def _time(text: str) -> datetime:
    from recon_core.values.times import parse_time  # noqa: PLC0415  # not for the help

    try:
        moment = parse_time(text)
    except ReconError as error:
        raise click.UsageError(f"--since: {error}") from None
    if moment > datetime.now(UTC):
        raise click.UsageError(f"--since: {quoted(text)} is in the future")
    return moment


def ccxt_settings(name: str | None) -> dict[str, Any]:
    """Return ccxt's settings of a file; raises `ReconError`."""
    if name is None:
        return {}
    import json  # noqa: PLC0415  # not for the help

    try:
        found = json.loads((Path.cwd() / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "is no JSON"
        raise ReconError(f"{printable(name)}: {reason}; expected settings of ccxt") from None
    if not isinstance(found, dict):
        raise ReconError(f"{printable(name)}: is no object; expected settings of ccxt")
    return found


def _text(output: str, recording: "Recording") -> str:
    from recon_core.reports.wording import counted  # noqa: PLC0415  # not for the help

    whole = sum(one.status == "whole" for one in recording.asked)
    failed = sum(one.status == "failed" for one in recording.asked) + len(recording.gaps)
    rows = sum(len(one.rows) for one in recording.asked if one.status == "whole")
    parts = [f"{counted(whole, 'answer')} whole", counted(rows, "row")]
    if failed:
        parts.append(f"{failed} not covered")
    if recording.rolled_off:
        parts.append(f"{counted(len(recording.rolled_off), 'row')} after the balance rolled off")
    return f"{printable(output)}: {', '.join(parts)}"
