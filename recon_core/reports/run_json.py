"""The JSON of a run's report: written, read back, and its schema, all by one set of types.

Writing takes the values as they are: building what validates them costs more than the text.
"""

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from recon_core.reports.run_report import RunReport
from recon_core.values.errors import ReconError
from recon_core.values.fields import problem_text


@cache
def _adapter() -> TypeAdapter[RunReport]:
    return TypeAdapter(RunReport)


def run_json(run: RunReport) -> str:
    """Return the report as JSON."""
    return to_json(run, indent=1).decode() + "\n"


def read_run(text: str, name: str) -> RunReport:
    """Read what `run_json` wrote; raises `ReconError` with the field that is not as expected.

    `name` is the file in messages, safe to print.
    """
    try:
        return _adapter().validate_json(text)
    except ValidationError as error:
        raise ReconError(f"{name}: is no JSON report of a run: {problem_text(error)}") from None


def run_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the report."""
    made = _adapter().json_schema(mode="validation")
    dialect = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": dialect, **made, "title": "recon.report/1"}
