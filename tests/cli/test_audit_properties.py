"""Filters, findings and order against a second implementation that keeps everything.

`Expected` below reads the whole list, knows every run at once and shares no code with the
one under test. Runs of ours stand between brackets and their diffs know whose they are;
foreign ones come in any order, also a diff before the summary of its run.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from .audit_cases import Entry, asked, batch, diff, opened, summary, write_export, write_log

SEVERITIES = ("INFO", "WARN", "FAIL", "CRITICAL")
SESSIONS = ("session_A", "session_B")
STRATEGIES = ("grid", "trend")
Write = Callable[[Path, Sequence[Entry]], Path]
MODES = ("summary", "diffs", "detailed", "trend", "export")


def at(minute: int) -> str:
    """A time of the day."""
    return f"2026-01-01T12:{minute:02d}:00Z"


@dataclass
class Case:
    """One run as it was made, and its entries."""

    run_id: str
    session_id: str | None
    strategy_id: str | None
    minute: int
    counts: dict[str, int]
    recorded: list[str]
    has_summary: bool = True
    committed: bool = True
    comparisons: int | None = None
    ran: int | None = None
    entries: list[Entry] = field(default_factory=list)


@st.composite
def cases(draw: st.DrawFn, *, ours: bool, run_id: str) -> Case:
    """A run of ours or a foreign one, with some of its diffs recorded."""
    recorded = draw(st.lists(st.sampled_from(SEVERITIES), max_size=4))
    more = draw(st.lists(st.sampled_from(SEVERITIES), max_size=3)) if draw(st.booleans()) else []
    counts = {name: (recorded + more).count(name) for name in SEVERITIES}
    case = Case(
        run_id,
        draw(st.sampled_from(SESSIONS)),
        draw(st.sampled_from(STRATEGIES)),
        draw(st.integers(0, 5)),
        {name: count for name, count in counts.items() if count},
        recorded,
    )
    if ours:
        case.comparisons = draw(st.sampled_from([None, 0, 7]))
        case.ran = draw(st.sampled_from([None, 0, 3, 7])) if case.comparisons else case.comparisons
        case.committed = draw(st.integers(0, 5)) > 0
    else:
        case.has_summary = draw(st.integers(0, 5)) > 0
    case.entries = our_entries(case, draw) if ours else foreign_entries(case, draw)
    return case


def the_summary(case: Case) -> Entry:
    """The summary of a case."""
    more = {} if case.comparisons is None else {"comparisons": case.comparisons, "ran": case.ran}
    owner = {"session_id": case.session_id, "strategy_id": case.strategy_id}
    return summary(case.run_id, case.counts, at(case.minute), **owner, **more)


def our_entries(case: Case, draw: st.DrawFn) -> list[Entry]:
    """A whole batch, or one that was cut short anywhere."""
    diffs = [diff(case.run_id, severity, at(30)) for severity in case.recorded]
    entries = batch(the_summary(case), *diffs)
    if not case.committed:
        entries = entries[: draw(st.integers(1, len(entries) - 1))]
        case.has_summary = len(entries) > 1
        case.recorded = case.recorded[: max(0, len(entries) - 2)]
        if not case.has_summary:
            case.counts, case.strategy_id = {}, None
    return entries


def foreign_entries(case: Case, draw: st.DrawFn) -> list[Entry]:
    """Summary and diffs, which know their run and nothing else of it, in any order."""
    diffs = [diff(case.run_id, severity, at(20)) for severity in case.recorded]
    if case.has_summary:
        return draw(st.permutations([the_summary(case), *diffs]))
    case.session_id = case.strategy_id = None
    case.minute, case.counts = 20, {}
    return diffs


@st.composite
def trails(draw: st.DrawFn) -> tuple[list[Case], list[Entry]]:
    """Runs of both kinds and their entries; foreign ones are mixed with each other."""
    kinds = draw(st.lists(st.booleans(), max_size=6))
    made = [draw(cases(ours=ours, run_id=f"run_{n}")) for n, ours in enumerate(kinds)]
    foreign = [case.entries for case, ours in zip(made, kinds, strict=True) if not ours]
    entries = mixed(foreign, draw)
    for case, ours in zip(made, kinds, strict=True):
        if ours:
            at_place = draw(st.integers(0, len(entries)))
            # Nothing stands inside a batch.
            while any(entries[at_place:]) and inside_batch(entries, at_place):
                at_place += 1
            entries[at_place:at_place] = case.entries
    return made, entries


def inside_batch(entries: Sequence[Entry], place: int) -> bool:
    """Whether an entry at this place would cut a run of ours in two."""
    before = [entry["event_type"] for entry in entries[:place]]
    here = entries[place] if place < len(entries) else None
    return bool(
        before
        and here is not None
        and ("run_timestamp" in here["details"] or "recorded_diffs" in here["details"])
    ) or (here is not None and here["event_type"] == "RECON_RUN_COMMITTED")


def mixed(runs: list[list[Entry]], draw: st.DrawFn) -> list[Entry]:
    """The entries of runs, each run's own in their order."""
    left = [list(run) for run in runs if run]
    found = []
    while left:
        run = draw(st.sampled_from(left))
        found.append(run.pop(0))
        left = [each for each in left if each]
    return found


@dataclass
class Asked:
    """Filters as they are given."""

    run_id: str | None = None
    session_id: str | None = None
    strategy_id: str | None = None
    since: int | None = None
    until: int | None = None
    severities: tuple[str, ...] = ()
    lowest: str | None = None

    def words(self) -> list[str]:
        """The options."""
        named = {
            "--run-id": self.run_id,
            "--session-id": self.session_id,
            "--strategy-id": self.strategy_id,
            "--since": None if self.since is None else at(self.since),
            "--until": None if self.until is None else at(self.until),
            "--min-severity": self.lowest,
        }
        words = [word for name, value in named.items() if value for word in (name, value)]
        return words + [word for name in self.severities for word in ("--severity", name)]

    def passes(self, severity: str) -> bool:
        """Whether a diff of this severity is asked for."""
        high_enough = SEVERITIES.index(severity) >= SEVERITIES.index(self.lowest or "INFO")
        return high_enough and (not self.severities or severity in self.severities)


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    """Filters, each mostly not given, that do not contradict each other."""

    def maybe(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(st.one_of(st.none(), st.none(), strategy))

    times = sorted(draw(st.lists(st.integers(0, 20), min_size=2, max_size=2)))
    asked_for = Asked(
        maybe(st.sampled_from(["run_0", "run_1", "run_9"])),
        maybe(st.sampled_from(SESSIONS)),
        maybe(st.sampled_from(STRATEGIES)),
        maybe(st.just(times[0])),
        maybe(st.just(times[1])),
        maybe(st.lists(st.sampled_from(SEVERITIES), min_size=1, max_size=2).map(tuple)) or (),
        maybe(st.sampled_from(SEVERITIES)),
    )
    if not any(asked_for.passes(severity) for severity in SEVERITIES):
        asked_for.severities = ()
    return asked_for


@dataclass
class Expected:
    """What is right, from the runs as they were made."""

    runs: list[Case]
    entries: list[Entry]
    question: Asked

    def known(self) -> bool:
        """Whether there is the run that is asked for."""
        ids = {case.run_id for case in self.runs if case.entries}
        return self.question.run_id is None or self.question.run_id in ids or not ids

    def chosen(self) -> list[Case]:
        """The runs that the filters select."""
        return [case for case in self.runs if case.entries and self.selects(case)]

    def selects(self, case: Case) -> bool:
        """Whether all run filters hold."""
        asked_for = self.question
        bare = not case.has_summary and not case.recorded
        return (
            asked_for.run_id in (None, case.run_id)
            and asked_for.session_id in (None, case.session_id)
            and (bare or asked_for.strategy_id in (None, case.strategy_id))
            and (asked_for.since is None or self.begins(case, asked_for.since))
            and (asked_for.until is None or self.ends(case, asked_for.until))
        )

    def places(self, case: Case) -> list[int]:
        """Where a run is: at its summary, at all its entries where it has none."""
        ids = [entry["details"].get("run_id") for entry in self.entries]
        own = [place for place, run_id in enumerate(ids) if run_id == case.run_id]
        kinds = [self.entries[place]["event_type"] for place in own]
        return [own[kinds.index("RECON_SUMMARY")]] if "RECON_SUMMARY" in kinds else own

    def marks(self) -> list[tuple[int, int]]:
        """The place and the minute of every run with a summary."""
        return [(self.places(case)[0], case.minute) for case in self.runs if case.has_summary]

    def begins(self, case: Case, since: int) -> bool:
        """Whether a run is at or after the first one of a time, in the log or by its own."""
        first = min((place for place, minute in self.marks() if minute >= since), default=10**9)
        return case.minute >= since or any(place >= first for place in self.places(case))

    def ends(self, case: Case, until: int) -> bool:
        """Whether a run is at or before the last one of a time, in the log or by its own."""
        last = max((place for place, minute in self.marks() if minute <= until), default=-1)
        return case.minute <= until or any(place <= last for place in self.places(case))

    def out_of_time(self, case: Case) -> bool:
        """Whether the clock says something else of a run than the order of the log."""
        asked_for = self.question
        return (asked_for.since is not None and case.minute < asked_for.since) or (
            asked_for.until is not None and case.minute > asked_for.until
        )

    def has_finding(self, case: Case) -> bool:
        """Whether a diff that is asked for was recorded or counted."""
        return any(self.question.passes(name) for name in [*case.recorded, *case.counts])

    def clear(self, case: Case) -> bool:
        """Whether a run without findings may be called clear."""
        whole = case.comparisons is None or (
            case.comparisons > 0 and case.ran is not None and case.ran >= case.comparisons
        )
        return case.has_summary and case.committed and whole and not self.out_of_time(case)

    def code(self) -> int:
        """The exit code with `--exit-on-findings`."""
        chosen = self.chosen()
        if not self.known():
            return 1
        if any(self.has_finding(case) for case in chosen):
            return 2
        return 0 if chosen and all(self.clear(case) for case in chosen) else 1

    def of_type(self, event_type: str) -> list[Entry]:
        """The entries of the selected runs, in the log's order."""
        ids = {case.run_id for case in self.chosen()}
        return [
            entry
            for entry in self.entries
            if entry["event_type"] == event_type and entry["details"]["run_id"] in ids
        ]

    def summaries(self) -> list[str]:
        """The run ids of the summaries that are shown."""
        limited = self.question.severities or self.question.lowest not in (None, "INFO")
        hidden = {case.run_id for case in self.chosen() if limited and not self.has_finding(case)}
        ids = [entry["details"]["run_id"] for entry in self.of_type("RECON_SUMMARY")]
        return [run_id for run_id in ids if run_id not in hidden]

    def diffs(self) -> list[tuple[str, str]]:
        """Severity and run of the diffs that are shown, the worst first, then the last run."""
        found = [entry["details"] for entry in self.of_type("RECON_DIFF")]
        shown = [item for item in found if self.question.passes(item["severity"])]
        # A foreign run without a summary is known at the end of the log only.
        placed = sorted(
            (not case.has_summary and case.comparisons is None, self.places(case)[0], case.run_id)
            for case in self.runs
            if case.entries
        )
        order = {run_id: number for number, (_, _, run_id) in enumerate(placed)}
        shown.sort(key=lambda item: (-SEVERITIES.index(item["severity"]), -order[item["run_id"]]))
        return [(item["severity"], item["run_id"]) for item in shown]


def written(directory: str, entries: list[Entry], write: Write = write_export) -> Path:
    """The entries as a log or as an export; a log that was begun has entries."""
    return (write if entries else write_export)(Path(directory, "trail"), entries)


@pytest.mark.large
@given(trails(), questions(), st.sampled_from([write_export, write_log]))
def test_the_verdict_is_the_same_in_every_mode(
    trail: tuple[list[Case], list[Entry]], question: Asked, write: Write
) -> None:
    """And the one that the second implementation comes to."""
    expected = Expected(*trail, question)
    with TemporaryDirectory() as directory:
        path = written(directory, trail[1], write)
        words = ["--json", path, "--exit-on-findings", *question.words()]
        codes = {mode: asked(mode, *words).code for mode in MODES}
        limited = {mode: asked(mode, *words, "--limit", 1).code for mode in MODES}
    unknown = question.run_id is not None and not trail[1]
    assert codes == dict.fromkeys(MODES, 1 if unknown else expected.code())
    assert limited == codes


@given(trails(), questions(), st.sampled_from([write_export, write_log]))
def test_summaries_and_diffs_are_the_right_ones_in_the_right_order(
    trail: tuple[list[Case], list[Entry]], question: Asked, write: Write
) -> None:
    """With any filters; a limit shows the end of the one and the start of the other."""
    expected = Expected(*trail, question)
    if not expected.known():
        return
    with TemporaryDirectory() as directory:
        path = written(directory, trail[1], write)
        words = ["--json", path, "--format", "json", *question.words()]
        summaries = asked("summary", *words).json
        diffs = asked("diffs", *words).json
        newest, worst = (asked(mode, *words, "--limit", 2).json for mode in ("summary", "diffs"))
    assert [item["run_id"] for item in summaries["items"]] == expected.summaries()
    assert summaries["count"] == len(expected.summaries())
    assert newest["items"] == summaries["items"][-2:]
    found = [(item["severity"], item["run_id"]) for item in diffs["items"]]
    assert found == expected.diffs()
    assert worst["items"] == diffs["items"][:2]


@pytest.mark.large
@given(trails(), questions())
def test_an_export_keeps_answers_and_verdict(
    trail: tuple[list[Case], list[Entry]], question: Asked
) -> None:
    """Of a filtered export the same question has the same answer."""
    expected = Expected(*trail, question)
    # An export of some runs does not show which others were between them.
    if not expected.known() or any(map(expected.out_of_time, expected.chosen())):
        return
    with TemporaryDirectory() as directory:
        path = written(directory, trail[1])
        part = asked("export", "--json", path, *question.words()).out.encode()
        for mode in ("summary", "diffs", "detailed", "trend"):
            words = [mode, "--format", "json", "--exit-on-findings", *question.words()]
            first = asked(*words, "--json", path)
            again = asked(*words, "--json", "-", stdin=part)
            assert again.code == first.code
            # A run id that nothing is left of is unknown afterwards.
            if question.run_id is None or part != b"[]\n":
                assert again.json["items"] == first.json["items"]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_a_run_that_was_opened_only_is_never_clear(places: list[int]) -> None:
    """Beside clean runs, and whatever is asked for besides another session."""
    entries = [entry for n in range(4) for entry in batch(summary(f"clean_{n}"))]
    for place in places:
        entries.insert(place * 3, opened(f"open_{place}"))
    with TemporaryDirectory() as directory:
        path = written(directory, entries)
        for mode in MODES:
            assert asked(mode, "--json", path, "--exit-on-findings").code == 1
            elsewhere = [mode, "--json", path, "--exit-on-findings", "--run-id", "clean_3"]
            assert asked(*elsewhere).code == 0
