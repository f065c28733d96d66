"""Commands of the past with their diffs, from an audit log or from a JSON report.

A command is what one `recon check` or one pytest run judged: all runs of one `invocation_id`.
A foreign run without one is a command by itself.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from recon_core.audit.fields import Entry, count_field
from recon_core.audit.tally import Run, Sink
from recon_core.audit.trend import delta_of, key_of
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import Explanation
from recon_core.model.waivers import WaiverUse
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted
from recon_core.values.severity import Severity

LAST: Final = "last"
_BACK: Final = re.compile(r"last(?:~([0-9]{1,4}))?", re.ASCII)
_Value = TypeVar("_Value")
_SHORTEST: Final = 4
"""Characters of an id that a prefix has at least; fewer would name a run by chance."""


@dataclass(slots=True)
class PastSession:
    """One session of a command: its diffs by identity, such as `cash::EUR`.

    `complete` is false where not every comparison ran, so that a diff may be missing.
    """

    session_id: str
    run_id: str
    complete: bool = True
    diffs: dict[str, ReconDiff] = field(default_factory=dict)


@dataclass(slots=True)
class PastRun:
    """One command; `sessions` are in its order, by id, a second one of an id with a number."""

    name: str
    time: datetime | None
    sessions: dict[str, PastSession] = field(default_factory=dict)

    def add(self, session: PastSession) -> None:
        """Take a session under its id."""
        number, name = 2, session.session_id
        while name in self.sessions:
            name, number = f"{session.session_id}#{number}", number + 1
        self.sessions[name] = session


@dataclass(frozen=True, slots=True)
class RunName:
    """A name of a past command: `last`, `last~2`, an id, or the beginning of one."""

    text: str

    @property
    def back(self) -> int | None:
        """The number of commands after it, `None` where it is named by an id."""
        match = _BACK.fullmatch(self.text)
        return None if match is None else int(match[1] or 0)

    def names(self, *ids: str) -> bool:
        """True if one of the ids is this one, or begins with it."""
        if self.back is not None:
            return False
        is_long = len(self.text) >= _SHORTEST
        return any(each == self.text or (is_long and each.startswith(self.text)) for each in ids)


class PastRunsSink(Sink):
    """Keeps the commands that are named, and no other."""

    def __init__(self, names: Iterable[RunName]) -> None:
        self._names = list(names)
        backs = [name.back for name in self._names if name.back is not None]
        self._window = max(backs, default=-1) + 1
        self._runs: dict[str, PastRun] = {}
        self._of_run: dict[int, PastSession] = {}
        self._named: set[str] = set()
        self._count = 0

    def summary(self, run: Run, entry: Entry) -> None:
        """Begin a session of its command."""
        details = entry["details"]
        name = str(details.get("invocation_id") or run.run_id)
        promised, ran = count_field(details, "comparisons"), count_field(details, "ran")
        session = self._session(run, name)
        session.complete = promised == ran and not details.get("problems")
        if any(each.names(name, run.run_id) for each in self._names):
            self._named.add(name)

    def diff(self, run: Run, entry: Entry) -> None:
        """Take a diff of the session."""
        diff = diff_of_details(entry["details"])
        self._session(run, run.run_id).diffs[diff.identity] = diff

    def passed_over(self, run: Run, entry: Entry) -> None:
        """Take a diff of any severity."""
        self.diff(run, entry)

    def _session(self, run: Run, name: str) -> PastSession:
        known = self._of_run.get(run.index)
        if known is not None:
            return known
        past = self._runs.get(name)
        if past is None:
            self._count += 1
            past = self._runs[name] = PastRun(name, run.time)
            self._forget()
        session = self._of_run[run.index] = PastSession(printable(run.session_id), run.run_id)
        past.add(session)
        return session

    def finished(self, run: Run) -> None:
        """Release the session of a run that has ended."""
        session = self._of_run.pop(run.index, None)
        if session is not None and run.doubt:
            session.complete = False

    def _forget(self) -> None:
        """Drop the oldest command that nobody names and that is not among the last ones."""
        if len(self._runs) <= self._window + len(self._named) + 1:
            return
        for name in list(self._runs)[: -self._window - 1]:
            if name not in self._named:
                del self._runs[name]

    def found(self, name: RunName) -> PastRun:
        """The command of a name; raises `AuditError` where there is none, or several."""
        if name.back is not None:
            if name.back >= self._count:
                raise AuditError(f"has {self._count} commands; {quoted(name.text)} is before them")
            return list(self._runs.values())[-1 - name.back]
        found = [
            past
            for past in self._runs.values()
            if name.names(past.name, *(each.run_id for each in past.sessions.values()))
        ]
        exact = [
            past
            for past in found
            if name.text in (past.name, *(each.run_id for each in past.sessions.values()))
        ]
        found = exact or found
        if not found:
            raise AuditError(
                f"there is no run {quoted(name.text, 200)}; expected last, last~1, an id of a "
                f"command or a run, or {_SHORTEST} or more characters of its beginning"
            )
        if len(found) > 1:
            raise AuditError(
                f"{quoted(name.text, 200)} begins {len(found)} ids; expected more of one"
            )
        return found[0]


def diff_of_details(details: Mapping[str, Any]) -> ReconDiff:
    """The diff that an entry of a log describes; what a foreign one does not say is empty."""
    identity = key_of(dict(details))
    kind, _, key = identity.partition("::")
    figures = details.get("diff_details")
    return ReconDiff(
        diff_id=str(details.get("diff_id") or ""),
        timestamp=None,
        diff_type=kind.upper(),
        severity=Severity(details["severity"]),
        key=key,
        description=str(details.get("description") or ""),
        internal=_figure(details, "internal"),
        external=_figure(details, "external"),
        delta=delta_of(dict(details)),
        unit=str(details.get("unit") or ""),
        diff_details=_texts(figures) if isinstance(figures, dict) else {},
        explanation=_read(details, "explanation", dict, _conclusion, None),
        waivers=_read(details, "waivers", list, _uses, ()),
    )


def _texts(figures: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in figures.items()}


def _uses(uses: Iterable[Mapping[str, Any]]) -> tuple[WaiverUse, ...]:
    return tuple(map(WaiverUse.from_dict, uses))


def _read(
    details: Mapping[str, Any],
    name: str,
    kind: type,
    read: Callable[[Any], _Value],
    absent: _Value,
) -> _Value:
    """Read a field as this project writes it; of another type it is a foreign one, and absent."""
    value = details.get(name)
    if not isinstance(value, kind):
        return absent
    try:
        return read(value)
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError):
        raise AuditError(f"{name}: is not as an audit log has it; expected another form") from None


_NO_PROOF: Final[Mapping[str, Any]] = {
    "residual": {"position": {}, "cash": {}},
    "explains": (),
    "proof": "",
    "decides": "",
    "alternatives": 0,
    "repair": (),
    "aliases": {},
    "known": (),
}
"""Fields of an explanation that an entry of a log leaves out."""


def _conclusion(found: Mapping[str, Any]) -> Explanation:
    return Explanation.from_dict({**_NO_PROOF, **found})


def _figure(details: Mapping[str, Any], name: str) -> Decimal | None:
    return delta_of({"delta": details.get(name), "diff_details": None})


def read_report(path: Path) -> PastRun:
    """Read what `recon check --format json` wrote; raises `AuditError` for anything else."""
    shown = printable(path.name)
    try:
        report = json.loads(path.read_bytes(), parse_float=Decimal)
        run = PastRun(shown, None)
        for session in report["sessions"]:
            run.add(_session_of_report(session))
    except OSError as error:
        raise AuditError(f"{shown}: cannot be read: {error.strerror}") from None
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise AuditError(
            f"{shown}: is no report; expected what recon check --format json writes"
        ) from None
    return run


def _session_of_report(session: Mapping[str, Any]) -> PastSession:
    summary = session["summary"]
    complete = summary["ran"] == summary["comparisons"] and not summary["problems"]
    found = PastSession(summary["session_id"], summary["run_id"], complete)
    for comparison in session["comparisons"]:
        if comparison["diff"] is not None:
            diff = ReconDiff.from_dict(comparison["diff"])
            found.diffs[diff.identity] = diff
    return found
