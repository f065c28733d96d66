"""JSON: the report itself, from which every other format can be made later."""

from recon_core.reports.run_json import run_json
from recon_core.reports.run_report import RunReport


def render(run: RunReport) -> str:
    """Return the JSON that `recon schema report` describes."""
    return run_json(run)
