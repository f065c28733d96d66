"""Waivers: known differences that somebody answers for until a day (docs/waivers.md)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from fnmatch import translate
from functools import cached_property
from typing import Any, Final

from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import format_amount
from recon_core.values.severity import Severity

WAIVER_FILE: Final = "recon-waivers.toml"
BASELINE_FILE: Final = "recon-baseline.toml"
WAIVER_FILES: Final = (WAIVER_FILE, BASELINE_FILE)
"""The files of a project that hold without being named, where they exist."""

_WILD: Final = frozenset("*?[")
_QUOTED: Final = re.compile(r"\[([*?\[])\]")


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of a file of waivers.

    `session` is a name or a pattern of session ids, `item` one of `kind::key`. The ceiling is
    either `max_amount`, in the unit of the diff, or `finding`, the digest of one diff that has
    no amount. `severity` is the highest that it covers. `expires` is the last day, in UTC.
    """

    id: str
    session: str
    item: str
    owner: str
    reason: str
    expires: date
    max_amount: Decimal | None = None
    finding: str | None = None
    cause: CauseKind | None = None
    severity: Severity = Severity.FAIL

    def to_dict(self) -> dict[str, Any]:
        """The entry as plain data, in the order of a file; what is absent is left out."""
        values = {
            "id": self.id,
            "session": self.session,
            "item": self.item,
            "cause": None if self.cause is None else str(self.cause),
            "max_amount": None if self.max_amount is None else format_amount(self.max_amount),
            "finding": self.finding,
            "severity": str(self.severity),
            "owner": self.owner,
            "reason": self.reason,
            "expires": self.expires.isoformat(),
        }
        return {name: value for name, value in values.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Waiver":
        """The entry that `to_dict` wrote."""
        amount, cause = data.get("max_amount"), data.get("cause")
        return cls(
            **{
                **data,
                "max_amount": None if amount is None else Decimal(amount),
                "cause": None if cause is None else CauseKind(cause),
                "severity": Severity(data["severity"]),
                "expires": date.fromisoformat(data["expires"]),
            }
        )


def today() -> date:
    """The day in UTC, wherever the run is."""
    return datetime.now(UTC).date()


@dataclass(frozen=True)  # without slots: the index is kept
class Waivers:
    """The waivers in force on one day, and the SHA-256 of the files that they are from.

    All processes of a run share the entries and the day of the process that read them.
    """

    day: date
    entries: tuple[Waiver, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """True if a file was read, also an empty one."""
        return bool(self.files or self.entries)

    def naming(self, session_id: str, identity: str) -> list[Waiver]:
        """Return the waivers that name a comparison (`cash::EUR`), in the order of the files."""
        exact = self._exact.get((session_id, identity), ())
        wild = [
            number
            for number, session, item in self._wild
            if session.fullmatch(session_id) and item.fullmatch(identity)
        ]
        return [self.entries[number] for number in sorted({*exact, *wild})]

    def of_session(self, session_id: str) -> list[Waiver]:
        """Return the waivers that name a session, in the order of the files."""
        exact = self._exact_sessions.get(session_id, ())
        wild = [number for number, session, _ in self._wild if session.fullmatch(session_id)]
        return [self.entries[number] for number in sorted({*exact, *wild})]

    def is_over(self, waiver: Waiver) -> bool:
        """True if the last day of a waiver is before the day of the run."""
        return waiver.expires < self.day

    @cached_property
    def _exact(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = {}
        for number, waiver in self._numbered(wild=False):
            found.setdefault((_plain(waiver.session), _plain(waiver.item)), []).append(number)
        return found

    @cached_property
    def _exact_sessions(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, waiver in self._numbered(wild=False):
            found.setdefault(_plain(waiver.session), []).append(number)
        return found

    @cached_property
    def _wild(self) -> list[tuple[int, re.Pattern[str], re.Pattern[str]]]:
        return [
            (number, re.compile(translate(waiver.session)), re.compile(translate(waiver.item)))
            for number, waiver in self._numbered(wild=True)
        ]

    def _numbered(self, *, wild: bool) -> Iterable[tuple[int, Waiver]]:
        for number, waiver in enumerate(self.entries):
            if (_is_wild(waiver.session) or _is_wild(waiver.item)) is wild:
                yield number, waiver

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for another process."""
        return {
            "day": self.day.isoformat(),
            "entries": [waiver.to_dict() for waiver in self.entries],
            "files": dict(self.files),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Waivers":
        """The waivers that another process sent."""
        entries: Sequence[Mapping[str, Any]] = data["entries"]
        day = date.fromisoformat(data["day"])
        return cls(day, tuple(map(Waiver.from_dict, entries)), data["files"])


def literal(name: str) -> str:
    """A pattern that names `name` alone."""
    return "".join(f"[{each}]" if each in _WILD else each for each in name)


def _plain(pattern: str) -> str:
    """The name that a pattern without wildcards means."""
    return _QUOTED.sub(r"\1", pattern)


def _is_wild(pattern: str) -> bool:
    return not _WILD.isdisjoint(_QUOTED.sub("", pattern))
