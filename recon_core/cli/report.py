"""`recon report`: any format of a run's report, made later from its JSON."""

from pathlib import Path

import click

from recon_core.cli.app import CONTEXT
from recon_core.reports.formats import FORMATS
from recon_core.values.errors import ReconError

EPILOG = """\b
Examples:
  recon check recordings/ --report json:run.json
  recon report run.json --format html -o recon.html
  recon report run.json --format markdown >> "$GITHUB_STEP_SUMMARY"

\b
Exit codes:
  0   written, whatever the verdict of the run was
  1   the file is no JSON report, or the new one was not written
  64  wrong usage
"""


@click.command(
    context_settings=CONTEXT,
    epilog=EPILOG,
    short_help="Make a report of a run from its JSON.",
)
@click.argument("run", metavar="RUN.json")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(list(FORMATS)),
    required=True,
    help="The format of the new report.",
)
@click.option("-o", "--output", metavar="PATH", help="The file to write.  [default: stdout]")
def report(run: str, format_name: str, output: str | None) -> None:
    """Make another report of the run whose JSON report is RUN.json.

    It judges nothing: the verdict is that of the run.
    """
    # Neither of them for the help.
    from recon_core.reports.run_json import read_run  # noqa: PLC0415
    from recon_core.reports.written_path import written_path  # noqa: PLC0415
    from recon_core.sessions.files import read_text_file  # noqa: PLC0415
    from recon_core.values.files import refusing, write_atomically  # noqa: PLC0415

    made = FORMATS[format_name]
    try:
        made.require()
        path = None if output is None else written_path(output, Path.cwd(), made.begins)
    except ReconError as error:
        raise click.UsageError(str(error)) from None
    content = read_text_file(Path(run))
    text = made.render(read_run(content.text, content.name))
    if path is None:
        click.echo(text, nl=False)
        return
    with refusing(output):
        write_atomically(path, text)
