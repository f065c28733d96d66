"""The causes of a session and their differences; what the terminal says of them."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import (
    Booking,
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from recon_core.model.summary import summarise
from recon_core.reports.explanations import effect_text
from recon_core.reports.finding_text import difference_text, finding_rows, next_commands, one_line
from recon_core.reports.findings import by_size, findings_of
from recon_core.reports.layout import Screen, lines_of
from recon_core.reports.session_text import Detail, SessionReport, session_lines
from recon_core.reports.side_names import SideNames
from recon_core.values.severity import Severity

NAMES = SideNames()


def diff(
    key: str, severity: str = "FAIL", *, delta: str = "1", drift: str = "0.1", **more: Any
) -> ReconDiff:
    """A difference of cash in `key`."""
    given = {"explanation": None, "diff_type": "CASH", "unit": key, **more}
    return ReconDiff(
        diff_id=f"d-{key}",
        timestamp=None,
        severity=Severity(severity),
        key=key,
        description=f"cash {key}: {severity}, internal 2, external 1",
        internal=Decimal(1) + Decimal(delta),
        external=Decimal(1),
        delta=Decimal(delta),
        drift=Decimal(drift),
        **given,
    )


def explanation(
    cause: str, verdict: str = "unique", *, kind: str = "missing_fill", **more: Any
) -> Explanation:
    """An explanation with one cause on the internal side, or with none for an empty cause."""
    side = LedgerSide.INTERNAL
    causes = (Cause(CauseKind(kind), side, ("t1",), Effect(), f"the internal side {cause}"),)
    return Explanation(ExplanationVerdict(verdict), side, causes if cause else (), **more)


def lines(*diffs: ReconDiff, top_n: int = 10, verbose: bool = False) -> list[str]:
    """The lines on the findings of some differences."""
    rows = [
        row
        for finding in findings_of(diffs)
        for row in finding_rows(finding, NAMES, top_n, verbose=verbose)
    ]
    return lines_of(rows, Screen(250))


def test_a_cause_has_all_of_its_differences_once() -> None:
    """The worst cause first, what has none at the end, each difference in one place."""
    lost, fee = explanation("lacks a fill: SELL 1 A"), explanation("has booked a fee twice")
    found = findings_of(
        [
            diff("EUR", "WARN", explanation=fee),
            diff("USD", explanation=None),
            diff("BTC", explanation=lost, drift="0.2"),
            diff("ETH", "CRITICAL", explanation=None),
            diff("XRP", "WARN", explanation=lost),
        ]
    )
    assert [[each.key for each in one.diffs] for one in found] == [
        ["BTC", "XRP"],
        ["EUR"],
        ["ETH", "USD"],
    ]
    assert [one.has_cause for one in found] == [True, True, False]


def test_a_proven_cause_is_before_a_possible_one() -> None:
    """Among causes of one severity, whatever the size of their differences."""
    sure = explanation("lacks a fill: A")
    possible = explanation("lacks a fill: B", "ambiguous", alternatives=3)
    found = findings_of(
        [diff("A", drift="1", explanation=possible), diff("B", drift="0.1", explanation=sure)]
    )
    assert [one.explanation for one in found] == [sure, possible]


def test_causes_that_crossed_a_process_are_still_one() -> None:
    """An explanation read from data equals the one that was written."""
    lost = explanation("lacks a fill: SELL 1 A")
    first, second = diff("A", explanation=lost), diff("B", explanation=lost)
    read = ReconDiff.from_dict(second.to_dict())
    assert len(findings_of([first, read])) == 1


def test_the_largest_difference_is_first() -> None:
    """By severity, then relative size, then amount; the order of the input changes nothing."""
    given = [
        diff("A", "INFO", drift="0.9"),
        diff("B", drift="0.1"),
        diff("C", drift="0.5", delta="-2"),
        diff("D", drift="0.5", delta="1"),
        diff("E", "CRITICAL", drift="0"),
    ]
    for each in (given, given[::-1]):
        assert [one.key for one in by_size(each)] == ["E", "C", "D", "B", "A"]


@pytest.mark.parametrize(
    ("found", "first", "others"),
    [
        (
            explanation("lacks a fill: SELL 0.026 BTC/USDT at 60915.37, fee 1.18784972 USDT"),
            (
                "Cause, proven (ledger): missing a fill: SELL 0.026 BTC/USDT at 60915.37, "
                "fee 1.188 USDT"
            ),
            [],
        ),
        (
            explanation("has rounded figures", "ambiguous", decides="the digits", alternatives=1),
            "Possible cause, not proven (ledger): has rounded figures",
            ["  To find out: the digits"],
        ),
        (
            explanation("has booked x twice", "ambiguous", decides="the fills of the external side",
                        alternatives=12, known=("a fact",)),
            "Possible cause, 1 of 12 that fit (ledger): has booked x twice",
            ["  Known: a fact", "  To find out: the fills of the exchange"],
        ),
        (
            explanation("has booked x twice", "partial", decides="the fee of what is missing",
                        residual=Effect(cash={"EUR": Decimal("5.0012345")})),
            "Cause of a part (ledger): has booked x twice",
            ["  Remains: cash EUR +5.001", "  To find out: the fee of what is missing"],
        ),
        (
            explanation("", "unexplained", text="no one or two faults", decides="the fills",
                        known=("a round 5.00 EUR",)),
            "No cause found: a round 5.00 EUR",
            ["  To find out: the fills"],
        ),
        (
            explanation("", "not-searched", text="the search ended at its budget",
                        decides="a search with more operations (full)"),
            "No cause found: the search ended at its budget",
            ["  To find out: a search with more operations (full)"],
        ),
    ],
)  # fmt: skip
def test_a_cause_in_words(found: Explanation, first: str, others: list[str]) -> None:
    """How sure it is, whose fault, what it is; its differences; what remains and would decide."""
    difference = "  FAIL  cash EUR  +1 EUR: ledger 2, exchange 1"
    assert lines(diff("EUR", explanation=found)) == [first, difference, *others]


def test_causes_that_explain_together_are_one_block() -> None:
    """Five are listed, and more are counted."""
    one = explanation("lacks a fill: A").causes[0]
    many = replace(explanation("lacks a fill: A"), causes=(one,) * 7)
    assert lines(diff("EUR", explanation=many))[:2] == [
        "Cause, proven, 7 together:",
        "  - ledger missing a fill: A",
    ]
    assert "  and 2 more causes" in lines(diff("EUR", explanation=many))


def test_positions_are_named_as_they_are_written() -> None:
    """With leg and account, and what a terminal obeys made visible."""
    held = ("A%20B,leg=LONG,account=x%20y", "C%1B%5B31m", "D")
    effect = Effect({key: Decimal(1) for key in held}, {"EUR,account=main": Decimal(-1)})
    assert effect_text(effect) == (
        "position A B LONG of account x y +1, position C\\x1b[31m +1, position D +1, "
        "cash EUR of account main -1"
    )


@pytest.mark.parametrize(
    ("amounts", "end"),
    [
        (10, "cash C9 +1"), (11, "cash C9 +1 and 1 more"), (19, "cash C9 +1 and 9 more"),
        (20, "cash C9 +1 and at least 10 more"), (500, "cash C9 +1 and 490 more"),
    ],
)  # fmt: skip
def test_amounts_that_are_left_out_are_counted(amounts: int, end: str) -> None:
    """Ten are listed; an effect that a diff carries has twenty of each kind, or more were there."""
    effect = Effect(cash={f"C{number}": Decimal(1) for number in range(amounts)})
    assert effect_text(effect).endswith(end)
    assert effect_text(effect.trimmed()).endswith(
        end if amounts < 20 else "cash C9 +1 and at least 10 more"
    )


@pytest.mark.parametrize(
    ("top_n", "shown", "more"), [(0, 0, "and 3 more"), (2, 2, "and 1 more"), (3, 3, None)]
)
def test_differences_that_are_left_out_are_counted(
    top_n: int, shown: int, more: str | None
) -> None:
    """What is within the tolerance is counted for itself."""
    found = lines(diff("A"), diff("B"), diff("C"), diff("D", "INFO"), top_n=top_n)
    assert sum(line.startswith("FAIL") for line in found) == shown
    assert (more in found) is (more is not None)
    assert found[-1] == "1 INFO, within the tolerance"


def test_what_a_hook_softened_is_never_left_out() -> None:
    """With its giver, however few are asked for."""
    found = lines(diff("A"), diff("B", "INFO", softened_by="conftest.py"), top_n=0)
    assert found == [
        "INFO  cash B  +1 B: ledger 2, exchange 1 (softened by conftest.py)",
        "and 1 more",
    ]


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (
            {"internal_rows": "0", "external_rows": "1", "external_side": "SELL",
             "external_quantity": "0.026", "external_price": "60915.37",
             "external_fee": "1.18784972", "external_fee_currency": "USDT",
             "external_time": "2026-01-01T00:00:00Z"},
            (
                "missing from the ledger; the exchange has SELL 0.026 at 60915.37, "
                "fee 1.188 USDT, 2026-01-01T00:00:00Z"
            ),
        ),
        (
            {"internal_rows": "2", "external_rows": "0", "internal_side": "BUY",
             "internal_quantity": "1", "internal_time": "2026-01-01T00:00:00Z"},
            "missing from the exchange; the ledger has 2 rows such as BUY 1, 2026-01-01T00:00:00Z",
        ),
        (
            {"internal_rows": "1", "external_rows": "1", "cases": "fill_payload",
             "internal_quantity": "0.071", "external_quantity": "0.061",
             "internal_price": "1", "external_price": "1"},
            "quantity: ledger 0.071, exchange 0.061",
        ),
        (
            {"internal_rows": "1", "external_rows": "1", "cases": "fill_fee",
             "internal_fee": "0", "external_fee": "1.72729294"},
            "fee: ledger 0, exchange 1.727",
        ),
        (
            {"internal_rows": "1", "external_rows": "1", "cases": "fill_payload, fill_order"},
            "internal 2, external 1".replace("internal", "ledger").replace("external", "exchange"),
        ),
    ],
)  # fmt: skip
def test_rows_in_words(details: dict[str, str], text: str) -> None:
    """The row that a side lacks, the fields that differ, or the finding where it is more."""
    assert difference_text(diff("EUR", diff_details=details), NAMES) == text


def test_the_keys_of_a_file_keep_their_names() -> None:
    """Who mends a file looks for the words that are in it."""
    text = "session readable: CRITICAL, d.recon.json: internal: unknown key"
    given = replace(diff("readable", "CRITICAL", diff_type="SESSION"), description=text)
    assert lines(given) == ["CRITICAL  session readable  d.recon.json: internal: unknown key"]
    assert lines(given, verbose=True) == [
        "CRITICAL  session readable: d.recon.json: internal: unknown key"
    ]


def test_a_line_of_a_table() -> None:
    """The cause with its side, and how many more; without a cause the largest difference."""
    lost = explanation("lacks a fill, or several of this sum: SELL 1 A at 2")
    (found,) = findings_of([diff("EUR", explanation=lost)])
    assert one_line(found) == "ledger missing SELL 1 A at 2"
    possible = replace(lost, verdict=ExplanationVerdict.AMBIGUOUS, causes=lost.causes * 2)
    (found,) = findings_of([diff("EUR", explanation=possible)])
    assert one_line(found) == "perhaps ledger missing SELL 1 A at 2 (and 1 more cause)"
    (found,) = findings_of([diff("EUR"), diff("USD", drift="0.9")])
    assert one_line(found) == "cash USD: +1 USD: ledger 2, exchange 1"


REPAIR = (Booking("add_fill", LedgerSide.INTERNAL, {}, ""),)


@pytest.mark.parametrize(
    ("diffs", "commands"),
    [
        ([diff("A")], ["recon explain f --policy p"]),
        ([diff("A", explanation=explanation("x"))], ["recon explain f --policy p"]),
        (
            [diff("A", explanation=explanation("x", repair=REPAIR))],
            ["recon explain f --policy p", "recon repair f -o repair.json --policy p"],
        ),
        (
            [diff("A", explanation=explanation("", "not-searched", decides="more"))],
            ["recon explain f --policy p --effort full"],
        ),
        (
            [diff("A", explanation=explanation("", "not-searched", text="it failed"))],
            ["recon explain f --policy p"],
        ),
        ([diff("readable", "CRITICAL", diff_type="SESSION")], []),
    ],
)
def test_the_next_command(diffs: list[ReconDiff], commands: list[str]) -> None:
    """A repair where one is proven; nothing for a file that has to be mended first."""
    assert list(next_commands(findings_of(diffs), "f", ["--policy", "p"])) == commands
    assert list(next_commands(findings_of(diffs), "")) == []


def report(name: str, *diffs: ReconDiff, ran: int = 7, **more: Any) -> SessionReport:
    """A session of seven comparisons."""
    summary = summarise(diffs, more.pop("session_id", name), comparisons=7, ran=ran)
    notes = more.pop("notes", ())
    path = f"s/{name}.recon.json"
    return SessionReport(path, replace(summary, notes=notes), diffs, file=path, **more)


def shown(*reports: SessionReport, columns: int = 80, **detail: Any) -> list[str]:
    """The lines on some sessions."""
    return session_lines(reports, Detail(**detail), Screen(columns))


def test_sessions_without_a_difference_are_one_line() -> None:
    """Those within the tolerance and those that did not run whole have one each."""
    assert shown(*(report(f"d{n}") for n in range(27))) == ["27 sessions match"]
    assert shown(report("a"), report("b", diff("EUR", "INFO")), report("c", ran=2)) == [
        "1 session matches",
        "1 session differs within the tolerance: 1 INFO, in s/b.recon.json",
        "1 session not complete: 2 of 7 comparisons ran, in s/c.recon.json",
    ]


def test_a_note_of_many_sessions_is_one_line() -> None:
    """With the first of them, and how many more."""
    lines = shown(*(report(f"d{n}", notes=("external: cut",)) for n in range(27)))
    assert lines[1:] == ["note  d0, d1, d2 and 24 more: exchange: cut"]
    lines = shown(*(report(f"d{n}", notes=(f"note {n}",)) for n in range(27)))
    assert lines[-1] == "note  17 more notes; the JSON has all"


@pytest.mark.parametrize("columns", [40, 80, 120, 250])
@pytest.mark.parametrize("count", [1, 5, 6, 20, 21, 200])
def test_many_sessions_are_a_table(count: int, columns: int) -> None:
    """Of the 20 worst, each cause once, within the width and 60 lines; more are counted."""
    lost = [
        explanation(f"lacks a fill: SELL {n}.5 BTC/USDT at 6, {'a b ' * 50}") for n in range(count)
    ]
    sessions = [
        report(f"day{n:03}", *(diff(key, explanation=each) for key in ("A", "B", "C")))
        for n, each in enumerate(lost)
    ]
    lines = shown(*sessions, *(report(f"ok{n}") for n in range(179)), columns=columns)
    assert "179 sessions match" in lines
    assert max(len(line) for line in lines if "recon explain" not in line) <= columns
    text = " ".join(" ".join(lines).split())
    for n in range(min(count, 20)):
        assert text.count(f"SELL {n}.5 BTC/USDT") == 1
    assert (f"{count - 20} more session" in text) is (count > 20)
    if columns >= 80 and count > 5:
        assert len(lines) <= 60


@pytest.mark.parametrize("columns", [50, 80])
def test_a_table_says_why_a_file_is_refused(columns: int) -> None:
    """Not its name once more: there is no room for both."""
    sessions = []
    for number in range(6):
        why = f"session readable: CRITICAL, d{number}.recon.json: is not JSON"
        refused = replace(diff("readable", "CRITICAL", diff_type="SESSION"), description=why)
        sessions.append(report(f"d{number}", refused))
    rows = [line for line in shown(*sessions, columns=columns) if "session readable" in line]
    assert len(rows) == len(sessions)
    assert all(line.endswith("session readable: is not JSON") for line in rows)


def test_sessions_of_one_id_and_long_ids_stay_tellable() -> None:
    """By their paths, and by both ends of a name."""
    same = [report(f"{n}/x", diff("EUR"), session_id="same") for n in range(3)]
    long = [report(f"l{n}", diff("EUR"), session_id=f"{'x' * 300}{n}") for n in range(3)]
    rows = [line.split()[1] for line in shown(*same, *long)[1:7]]
    assert sorted(rows) == sorted([*(f"s/{n}/x" for n in range(3)), *rows[3:]])
    assert len(set(rows)) == 6
    assert all(len(row) <= 20 for row in rows)


@pytest.mark.parametrize(
    ("mode", "given", "action"),
    [
        ("LIVE", diff("EUR"), "  Action: stop trading; immediate incident response"),
        ("", diff("EUR"), "  Action: stop trading; immediate incident response"),
        ("", diff("EUR", "CRITICAL"), "  Action: kill switch; incident response"),
        ("SIM", diff("EUR", "CRITICAL"), None),
        ("PAPER", diff("EUR"), None),
        ("LIVE", diff("readable", "CRITICAL", diff_type="SESSION"),
         "  Action: fix the file; nothing of it was compared"),
        ("LIVE", diff("EUR", "INFO", softened_by="conftest.py"), None),
    ],
)  # fmt: skip
def test_the_action_depends_on_the_mode(mode: str, given: ReconDiff, action: str | None) -> None:
    """A rehearsal asks nobody to stop trading; a file that is damaged has to be mended."""
    found = [line for line in shown(report("d", given, mode=mode)) if "Action" in line]
    assert found == ([] if action is None else [action])


def test_what_was_shown_is_not_said_again() -> None:
    """Its session keeps its line and what to do next."""
    lost = explanation("lacks a fill: A")
    session = report("d", diff("A", explanation=lost), diff("B"))
    lines = shown(replace(session, shown=frozenset({"cash::A"})))
    assert lines[0] == "2 FAIL  d (s/d.recon.json), shown above"
    assert "missing a fill" not in " ".join(lines)
    assert "  FAIL  cash B  +1 B: ledger 2, exchange 1" in lines
    assert "  Next: recon explain s/d.recon.json" in lines


def test_verbose_shows_every_session() -> None:
    """Also what is within the tolerance, with exact figures and the run id."""
    sessions = [report(f"d{n}", diff("EUR", "INFO")) for n in range(7)]
    lines = shown(*sessions, verbose=True, run_ids=True)
    assert sum("INFO  cash EUR: ledger 2, exchange 1" in line for line in lines) == 7
    assert sum(", run " in line for line in lines) == 7
