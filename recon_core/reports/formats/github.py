"""Annotations of GitHub's workflow commands: errors for what blocks, else warnings.

GitHub takes 10 of each kind from a step and drops the others without a word, so the last says
how many there are. Source of the form: GitHub, "Workflow commands for GitHub Actions".
"""

from collections.abc import Iterable, Sequence
from typing import Final

from recon_core.reports.report_rows import Row, rows
from recon_core.reports.run_report import RunReport
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

MOST: Final = 10
"""Annotations of a kind that GitHub takes from one step."""
_WAIVED: Final = "WAIVED"
"""Severity of a difference that somebody has taken responsibility for."""
_LONGEST: Final = 1000
"""Characters of a message; GitHub cuts it at 4,096 bytes, and one may be escaped to four."""


def render(run: RunReport) -> str:
    """Return a line for each cause and each finding without one; a notice where all is well."""
    found = [row for row in rows(run) if row.blocks or row.severity is not Severity.INFO]
    units = _units(found)
    errors = [unit for unit in units if unit[0].blocks]
    others = [unit for unit in units if not unit[0].blocks]
    warnings = [unit for unit in others if unit[0].severity != _WAIVED]
    notices = [unit for unit in others if unit[0].severity == _WAIVED]
    named = (("error", errors), ("warning", warnings), ("notice", notices))
    lines = [line for command, found in named for line in _lines(command, found)]
    return "\n".join(lines or [_command("notice", {"title": "recon"}, run.line)]) + "\n"


def _units(found: Sequence[Row]) -> list[list[Row]]:
    """Return the findings, those that one proven or possible cause explains together."""
    together: dict[int, list[Row]] = {}
    for row in found:
        has_cause = row.explained is not None and bool(row.explained.causes)
        together.setdefault(id(row.explained if has_cause else row), []).append(row)
    return list(together.values())


def _lines(command: str, units: Sequence[Sequence[Row]]) -> Iterable[str]:
    shown = units if len(units) <= MOST else units[: MOST - 1]
    for row, *others in shown:
        # A balance that was replayed has no row; the fill that explains it often has one.
        at = next((one for one in (row, *others) if one.line > 1), row)
        place = {"file": at.file, "line": str(at.line)} if at.file else {}
        more = f" and {len(others)} more" if others else ""
        named = ", ".join(map(_named, others[:MOST]))
        message = f"{row.text}; explains {named} too" if others else row.text
        yield _command(command, {**place, "title": f"recon {row.title}{more}"}, message)
    if len(shown) < len(units):
        more = f"and {len(units) - len(shown)} more: the other reports list them"
        yield _command(command, {"title": f"recon: {len(units)} findings"}, more)


def _named(row: Row) -> str:
    waived = f" ({_WAIVED})" if row.severity == _WAIVED else ""
    return f"{row.kind} {row.key}{waived}"


def _command(command: str, properties: dict[str, str], message: str) -> str:
    named = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {named}::{_data(printable(message, _LONGEST))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(printable(text, 300)).replace(":", "%3A").replace(",", "%2C")
