"""One command in an audit trail: the sessions that it judged, and its verdict."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recon_core.reports.wording import BLOCKED, CLEAR, INCOMPLETE


@dataclass(slots=True)
class Command:
    """The runs of one `recon check` or one pytest run, from the items of their summaries.

    `clean` are the ids of sessions without a diff that ran completely.
    """

    name: str
    time: str = ""
    sessions: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    clean: list[str] = field(default_factory=list)
    _verdicts: set[str] = field(default_factory=set)

    def add(self, item: Mapping[str, Any]) -> bool:
        """Take a session of the command; true if it is clean, and nothing else is to be said."""
        self.time = self.time or str(item.get("timestamp"))
        self.sessions += 1
        counts = item.get("counts_by_severity")
        self.counts.update(counts if isinstance(counts, dict) else {})
        self._verdicts.add(str(item.get("verdict") or _verdict(item)))
        is_clean = not item.get("total_diffs") and _verdict(item) == CLEAR
        if is_clean and not any(item.get(name) for name in ("notes", "policy_changed", "mirrored")):
            self.clean.append(str(item.get("session_id")))
            return True
        return False

    @property
    def verdict(self) -> str:
        """`BLOCKED` before `INCOMPLETE` before `CLEAR`, as the command itself has it."""
        return next((each for each in (BLOCKED, INCOMPLETE) if each in self._verdicts), CLEAR)


def _verdict(item: Mapping[str, Any]) -> str:
    """The verdict that one summary has by itself: older logs do not record the command's."""
    if item.get("has_fail") or item.get("has_critical"):
        return BLOCKED
    is_partial = item.get("ran") != item.get("comparisons") or item.get("problems")
    return INCOMPLETE if is_partial else CLEAR
