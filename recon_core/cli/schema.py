"""`recon schema`: what the files hold, as JSON Schema, made from what reads or writes them."""

import json
from collections.abc import Callable
from typing import Any, Final

import click

from recon_core.cli.app import CONTEXT

NAMES: Final = (
    "session",
    "policy",
    "waivers",
    "audit-entry",
    "summary",
    "explanation",
    "repair",
    "report",
)


@click.command(
    context_settings=CONTEXT,
    short_help="Print the JSON Schema of a file.",
    epilog="""\b
Examples:
  recon schema session > session.schema.json
  recon schema audit-entry

\b
  session      a recorded session, *.recon.json
  policy       recon.toml, or [tool.recon] in pyproject.toml, read as JSON
  waivers      recon-waivers.toml or recon-baseline.toml, read as JSON
  audit-entry  a line of an audit log, or an element of an exported array
  summary      the summary of a run, as ReconSummary.to_json() writes it
  explanation  what recon explain --format json prints
  repair       the list of correcting entries that recon repair writes
  report       the JSON report of a run, of recon check --report json:PATH

A schema describes one field at a time. What spans several, such as a fee without a
currency, is found by reading: recon check says it.
""",
)
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
def schema(name: str) -> None:
    """Print the JSON Schema (2020-12) of a kind of file.

    NAME is session, policy, waivers, audit-entry, summary, explanation, repair or report.
    """
    from recon_core.cli import json_schemas  # noqa: PLC0415  # brings pydantic
    from recon_core.reports.run_json import run_schema  # noqa: PLC0415  # as that

    makers: dict[str, Callable[[], dict[str, Any]]] = {
        "session": json_schemas.session_schema,
        "policy": json_schemas.policy_schema,
        "waivers": json_schemas.waivers_schema,
        "audit-entry": json_schemas.audit_entry_schema,
        "summary": json_schemas.summary_schema,
        "explanation": json_schemas.explanation_schema,
        "repair": json_schemas.repair_schema,
        "report": run_schema,
    }
    click.echo(json.dumps(makers[name](), indent=2))
