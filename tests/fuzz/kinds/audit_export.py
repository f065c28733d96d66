"""Audit-log exports of other systems, asked in five modes."""

import json
from collections.abc import Sequence
from pathlib import Path

from recon_core.cli import show_recon_audit

from ..answer import Answer, commanded
from ..changes import Files
from .kind import DATA, Kind

_NAME = "export.json"
_MODES = ("summary", "diffs", "detailed", "trend", "verify")


def _seeds() -> Sequence[Files]:
    return [{_NAME: path.read_bytes()} for path in sorted((DATA / "audit-exports").glob("*.json"))]


def _answer(directory: Path) -> Answer:
    path = directory / _NAME
    content = path.read_bytes()
    mode = _MODES[len(content) % len(_MODES)]
    words = [mode, "--json", str(path)]
    gate = mode == "diffs"
    status, text = commanded(show_recon_audit, *words, *(["--exit-on-findings"] if gate else []))
    text = text.replace(str(directory), "DIRECTORY")
    if status:
        return Answer(text, refused=status != 2)
    wrong = "a gate is open though a diff is listed" if gate and _lists_a_diff(content) else ""
    return Answer(text, clear=True, wrong=wrong)


def _lists_a_diff(content: bytes) -> bool:
    entries = json.loads(content)
    return any(entry.get("event_type") == "RECON_DIFF" for entry in entries)


KIND = Kind("audit-export", 30, _seeds, _answer)
