"""Waivers of a diff: what became of each waiver that names it (docs/waivers.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from recon_core.values.severity import Severity


class WaiverState(StrEnum):
    """State of a waiver after a run.

    `used`: it covers a diff. `exceeded`: a diff that it names is above its ceiling, or of a
    higher severity. `changed`: a diff that it names has another cause, or is another finding.
    `expired`: its last day is over. `unused`: no diff is named by it.
    """

    EXCEEDED = "exceeded"
    CHANGED = "changed"
    EXPIRED = "expired"
    UNUSED = "unused"
    USED = "used"


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """One waiver that names a diff, safe to print.

    `severity` is that of the diff as it was judged; `finding` is the digest of the diff;
    `days_left` counts from the day of the run, in UTC, and is negative for an expired one;
    `text` is a sentence that says why it covers the diff, or why it does not.
    """

    id: str
    owner: str
    reason: str
    expires: date
    days_left: int
    state: WaiverState
    severity: Severity
    finding: str
    text: str

    @property
    def covers(self) -> bool:
        """True if the diff is waived by it."""
        return self.state is WaiverState.USED

    def to_dict(self) -> dict[str, object]:
        """Plain data for JSON; the day as in `2026-12-31`."""
        return {
            "id": self.id,
            "owner": self.owner,
            "reason": self.reason,
            "expires": self.expires.isoformat(),
            "days_left": self.days_left,
            "state": str(self.state),
            "severity": str(self.severity),
            "finding": self.finding,
            "text": self.text,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "WaiverUse":
        """The use that `to_dict` wrote."""
        return cls(
            **{
                **data,
                "expires": date.fromisoformat(data["expires"]),
                "state": WaiverState(data["state"]),
                "severity": Severity(data["severity"]),
            }
        )
