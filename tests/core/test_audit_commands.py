"""The verdict of one command in an audit trail, by the summaries of its sessions."""

from typing import Any

import pytest

from recon_core.audit.commands import Command
from recon_core.reports.wording import BLOCKED, CLEAR, INCOMPLETE

WHOLE: dict[str, Any] = {"session_id": "s", "ran": 3, "comparisons": 3, "total_diffs": 0}

COMMANDS: dict[str, tuple[list[dict[str, Any]], str, list[str]]] = {
    "of no session": ([], CLEAR, []),
    "an older log": ([WHOLE], CLEAR, ["s"]),
    "an older log, and a FAIL": ([{**WHOLE, "has_fail": True, "total_diffs": 1}], BLOCKED, []),
    "an older log, and CRITICAL": ([{**WHOLE, "has_critical": True}], BLOCKED, []),
    "an older log, in part": ([{**WHOLE, "ran": 2}], INCOMPLETE, []),
    "an older log, with a problem": ([{**WHOLE, "problems": ["x"]}], INCOMPLETE, []),
    "as recorded": ([{**WHOLE, "verdict": INCOMPLETE}], INCOMPLETE, ["s"]),
    "the worst of several": (
        [{**WHOLE, "ran": 2}, {**WHOLE, "has_fail": True}, WHOLE], BLOCKED, ["s"],
    ),
    "a note": ([{**WHOLE, "notes": ["x"]}], CLEAR, []),
}  # fmt: skip


@pytest.mark.parametrize(("items", "verdict", "clean"), COMMANDS.values(), ids=COMMANDS)
def test_the_verdict_of_a_command(
    items: list[dict[str, Any]], verdict: str, clean: list[str]
) -> None:
    """What it recorded, or what the summaries of an older log say; the worst of all sessions."""
    command = Command("c")
    for item in items:
        command.add(item)
    assert (command.verdict, command.clean) == (verdict, clean)
