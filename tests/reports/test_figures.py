"""Figures that a diff carries: waterfalls, courses in time, places of rows, marks of fills."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core import reconcile_session
from recon_core.engine.reconciliation import Reconciliation
from recon_core.model.comparison import ReconDiff
from recon_core.model.figures import TimelineSource
from recon_core.reports.session_result import fill_marks
from recon_core.sessions.places import MOST_PLACES

from . import runs


def reconciled(directory: Path, document: dict[str, Any]) -> Reconciliation:
    return reconcile_session(runs.write(directory, "desk", document))


def diffs(directory: Path, document: dict[str, Any]) -> dict[str, ReconDiff]:
    """The diffs of a session by identity, with their places."""
    found = reconciled(directory, document)
    placed = (found.placed(each).diff for each in found.judgements)
    return {diff.identity: diff for diff in placed if diff is not None}


class TestTimeline:
    """Both sides in time."""

    def test_postings_show_when_the_sides_part(self, tmp_path: Path) -> None:
        """The fill that the ledger lacks is the first divergence of cash and position."""
        found = diffs(tmp_path, runs.trading(3))
        for identity in ("position::BTC/EUR", "cash::EUR", "cash::BTC"):
            course = found[identity].timeline
            assert course is not None
            assert course.source is TimelineSource.POSTINGS
            assert course.first is not None
            assert course.points[course.first].time.minute == 3
            last, diff = course.points[-1], found[identity]
            assert (last.internal, last.external) == (diff.internal, diff.external)

    def test_each_account_has_a_course_of_its_own(self, tmp_path: Path) -> None:
        """What the other account holds is no part of it."""
        document = runs.trading(3)
        for side in (document["internal"], document["external"]):
            side["opening"]["cash"] = [
                {"currency": "EUR", "total": total, "account": account}
                for account, total in (("even", "7000.00"), ("odd", "3000.00"))
            ]
            for row in side["fills"]:
                row["account"] = "odd" if int(row["fill_id"][1:]) % 2 else "even"
        found = diffs(tmp_path, document)
        course = found["cash::EUR,account=odd"].timeline
        assert course is not None
        assert course.source is TimelineSource.POSTINGS
        assert course.points[0].internal == course.points[0].external == 3000
        assert course.first is not None
        assert course.points[course.first].time.minute == 3
        assert "cash::EUR,account=even" not in found

    def test_snapshots_come_before_postings(self, tmp_path: Path) -> None:
        """What the sides state is better evidence than a replay."""
        document = runs.session(
            internal={
                "cash": {"EUR": "7"},
                "snapshots": [
                    {"as_of": "2026-01-01T09:00:00Z", "cash": {"EUR": "1"}},
                    {"as_of": "2026-01-01T10:00:00Z", "cash": {"EUR": "5"}},
                ],
            },
            external={
                "cash": {"EUR": "3"},
                "snapshots": [
                    {"as_of": "2026-01-01T09:00:00Z", "cash": {"EUR": "1"}},
                    {"as_of": "2026-01-01T10:00:00Z", "cash": {"EUR": "2"}},
                ],
            },
        )
        course = diffs(tmp_path, document)["cash::EUR"].timeline
        assert course is not None
        assert course.source is TimelineSource.SNAPSHOTS
        assert course.first == 1
        assert [point.internal for point in course.points] == [1, 5, 7]
        assert course.tolerance == Decimal("0.035")

    def test_a_long_course_is_thinned(self, tmp_path: Path) -> None:
        """The last time stays, and the others are counted."""
        document = runs.trading(3)
        rows = [
            runs.fill(0, fill_id=f"t{n}", time=f"2026-01-01T09:{n // 60:02d}:{n % 60:02d}Z")
            for n in range(500)
        ]
        document["external"]["fills"] = rows
        document["internal"]["fills"] = rows[:-1]
        course = diffs(tmp_path, document)["cash::EUR"].timeline
        assert course is not None
        assert len(course.points) <= 201
        assert len(course.points) - 1 + course.left_out == 500
        assert course.first == len(course.points) - 2

    @pytest.mark.parametrize("missing", ["fills", "opening"])
    def test_a_side_without_rows_has_no_course(self, tmp_path: Path, missing: str) -> None:
        """Neither does the other alone."""
        document = runs.trading(3)
        del document["external"][missing]
        document["external"] |= {"positions": {"BTC/EUR": "1"}, "cash": {"EUR": "1"}}
        assert all(diff.timeline is None for diff in diffs(tmp_path, document).values())


class TestWaterfall:
    """The steps of both sides to a balance."""

    def test_steps_lead_to_the_balance(self, tmp_path: Path) -> None:
        """To the last digit, and the category that differs is the one of the fill."""
        diff = diffs(tmp_path, runs.trading(3))["cash::EUR"]
        ours, theirs = diff.waterfalls
        for steps, state in ((ours, diff.internal), (theirs, diff.external)):
            assert sum(steps.steps.values()) == steps.closing == state
            assert steps.stated is None  # the balance is the sum of its rows
        assert ours.steps["opening"] == theirs.steps["opening"]
        assert ours.steps["fees"] - theirs.steps["fees"] == 1
        assert ours.steps["trades"] - theirs.steps["trades"] == Decimal("400.03")

    def test_figures_cross_processes(self, tmp_path: Path) -> None:
        """As JSON and back, nothing is lost."""
        for diff in diffs(tmp_path, runs.trading(3)).values():
            assert ReconDiff.from_dict(json.loads(json.dumps(diff.to_dict()))) == diff


class TestPlaces:
    """The line of each row that differs, in the file that holds it."""

    @pytest.mark.parametrize("indent", [None, 0, 1, 4])
    def test_a_place_is_the_line_of_its_row(self, tmp_path: Path, indent: int | None) -> None:
        """However the file is indented: the line has the name of the row."""
        path = tmp_path / "desk.recon.json"
        path.write_text(json.dumps(runs.trading(3), indent=indent), encoding="utf-8")
        lines = path.read_text(encoding="utf-8").splitlines()
        found = reconcile_session(path)
        placed = [found.placed(each).diff for each in found.judgements]
        fills = [diff for diff in placed if diff is not None and diff.diff_type == "FILL"]
        (place,) = fills[0].places
        assert '"t3"' in "".join(lines[place.line - 1 : place.line + 2])
        assert (place.side, place.file) == ("external", "desk.recon.json")

    def test_keys_of_tables_have_lines(self, tmp_path: Path) -> None:
        """A position of an object of amounts is at its value."""
        text = json.dumps(runs.BLOCKED, indent=1)
        places = diffs(tmp_path, runs.BLOCKED)["position::ETH/EUR"].places
        lines = text.splitlines()
        assert [lines[place.line - 1].strip(" ,") for place in places] == [
            '"ETH/EUR": "1.0"',
            '"ETH/EUR": "0.95"',
        ]

    def test_strings_and_brackets_in_names_lead_nowhere_else(self, tmp_path: Path) -> None:
        """Names may hold whatever JSON is made of."""
        odd = 'a"]},{"fill_id": "t3"\\'
        document = runs.trading(3)
        document["strategy_id"] = odd
        document["internal"]["fills"][0]["client_order_id"] = odd
        document["external"]["fills"][0]["client_order_id"] = odd
        place = diffs(tmp_path, document)["fill::BTC/EUR,t3"].places[0]
        lines = json.dumps(document, indent=1).splitlines()
        assert '"fill_id": "t3"' in lines[place.line]

    def test_a_file_that_is_gone_has_no_places(self, tmp_path: Path) -> None:
        """The verdict stays what it was."""
        found = reconciled(tmp_path, runs.BLOCKED)
        judgements = list(found.judgements)
        (tmp_path / "desk.recon.json").unlink()
        for judgement in judgements:
            placed = found.placed(judgement)
            assert placed.verdict == judgement.verdict
            assert placed.diff is None or placed.diff.places == ()

    def test_many_rows_of_one_finding_are_cut(self, tmp_path: Path) -> None:
        """A fill that a side lists 30 times has the places that SARIF shows."""
        document = runs.trading(3)
        document["external"]["fills"] += [runs.fill(3)] * 30
        assert len(diffs(tmp_path, document)["fill::BTC/EUR,t3"].places) <= MOST_PLACES


def test_marks_count_every_fill(tmp_path: Path) -> None:
    """By what the sides have of it, in the order of time."""
    document = runs.trading(3)
    document["internal"]["fills"][0]["fee"] = "2.00"
    document["internal"]["fills"].append(runs.fill(40, fill_id="own"))
    marks = fill_marks(reconciled(tmp_path, document).comparisons)
    assert sum(mark.matched for mark in marks) == 6
    assert sum(mark.unequal for mark in marks) == 1
    assert sum(mark.only_internal for mark in marks) == 1
    assert sum(mark.only_external for mark in marks) == 1
    assert [mark.time for mark in marks] == sorted(mark.time for mark in marks)
