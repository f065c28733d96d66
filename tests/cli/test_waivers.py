"""Waivers: for each situation the outcome, the exit status and the words of the audit log."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest

from recon_core.audit.log import AuditLog
from recon_core.policy import settings

from .conftest import EXAMPLES, Recon, write_session

TODAY: Final = date(2026, 11, 28)
CASH: Final = {
    "id": "w1",
    "session": "day",
    "item": "cash::EUR",
    "max_amount": "5.00",
    "owner": "ops@desk",
    "reason": "swap interest is booked monthly, ticket 812",
    "expires": "2026-12-31",
}
FEE: Final = {**CASH, "session": "double_fee", "item": "cash::USDT", "max_amount": "3"}
"""A waiver of the one difference of `examples/explain/double_fee.recon.json`."""
Row = Mapping[str, object]


@pytest.fixture(autouse=True)
def _today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "today", lambda: TODAY)


def cash_off(external: str = "4995.00", **more: Any) -> Callable[[Path], None]:
    """A session `day` whose balance is off, by 5 EUR where nothing else is said."""

    def write(directory: Path) -> None:
        write_session(directory / "s/day.recon.json", external_cash={"EUR": external}, **more)

    return write


def drifting(directory: Path) -> None:
    """A session `day` with one WARN: a position is off by 0.0005."""
    positions = {"BTC/EUR": "0.0995", "ETH/EUR": "2"}
    write_session(directory / "s/day.recon.json", external_positions=positions)


def unreadable(directory: Path) -> None:
    """A session `day` that cannot be judged: CRITICAL."""
    path = directory / "s/day.recon.json"
    path.parent.mkdir()
    path.write_text('{"schema": "recon.sess', encoding="utf-8")
    write_session(directory / "s/clear.recon.json")


def uncovered(directory: Path) -> None:
    """A session `day` whose exchange reports no cash: a FAIL without an amount."""
    external = {"as_of": "2026-01-01T12:00:00Z", "positions": {"BTC/EUR": "0.1", "ETH/EUR": "2"}}
    write_session(directory / "s/day.recon.json", external=external)


def locked(directory: Path) -> None:
    """A session `day` whose totals are equal and whose locked parts are not: a WARN of delta 0."""
    sides = {
        name: {
            "as_of": "2026-01-01T12:00:00Z",
            "positions": {},
            "cash": [{"currency": "EUR", "total": "5000", "free": free, "locked": held}],
        }
        for name, free, held in (("internal", "4000", "1000"), ("external", "100", "4900"))
    }
    write_session(directory / "s/day.recon.json", **sides)


def double_fee(directory: Path) -> None:
    """A session with one difference, whose cause is proven: a doubled fee."""
    (directory / "s").mkdir()
    for path in (EXAMPLES / "explain").glob("double_fee*"):
        shutil.copy(path, directory / "s" / path.name)


def two_days(directory: Path) -> None:
    """Sessions `day` and `night` with the same difference of 5 EUR."""
    for name in ("day", "night"):
        write_session(directory / f"s/{name}.recon.json", external_cash={"EUR": "4995.00"})


@dataclass(frozen=True)
class Situation:
    """Files of waivers, a session, and the end of `recon check s`.

    `account` is that of the log's first summary; `verdicts` are those of its diffs.
    """

    name: str
    rows: tuple[Row, ...]
    code: int
    account: dict[str, list[str]]
    verdicts: tuple[str, ...] = ("WAIVED",)
    session: Callable[[Path], None] = field(default_factory=cash_off)
    words: tuple[str, ...] = ()
    said: str = ""


USED, EXCEEDED, EXPIRED = {"used": ["w1"]}, {"exceeded": ["w1"]}, {"expired": ["w1"]}
CHANGED, UNUSED = {"changed": ["w1"]}, {"unused": ["w1"]}
FAIL, WARN = ("FAIL",), ("WARN",)

SITUATIONS: Final = (
    Situation("covered", (CASH,), 0, USED, said="1 WAIVED)"),
    Situation("ceiling met exactly", ({**CASH, "max_amount": "5"},), 0, USED),
    Situation("a ceiling as a number of TOML", ({**CASH, "max_amount": 5},), 0, USED),
    Situation(
        "one cent above the ceiling",
        ({**CASH, "max_amount": "4.99"},),
        2,
        EXCEEDED,
        FAIL,
        said="waivers exceeded: w1 (until 2026-12-31, 33 days, ops@desk)",
    ),
    Situation("it grew", (CASH,), 2, EXCEEDED, FAIL, cash_off("4994.99")),
    Situation("it grew to the other side", (CASH,), 2, EXCEEDED, FAIL, cash_off("5005.01")),
    Situation("the other sign, under the ceiling", (CASH,), 0, USED, session=cash_off("5005.00")),
    Situation("it shrank", (CASH,), 0, USED, session=cash_off("4998.00")),
    Situation("it healed", (CASH,), 0, UNUSED, (), cash_off("5000.00"), said="waivers unused: w1"),
    Situation("it is INFO now", (CASH,), 0, UNUSED, ("INFO",), cash_off("4999.50")),
    Situation("its last day is today", ({**CASH, "expires": "2026-11-28"},), 0, USED),
    Situation(
        "its last day was yesterday",
        ({**CASH, "expires": "2026-11-27"},),
        2,
        EXPIRED,
        FAIL,
        said="waivers expired: w1 (expired 2026-11-27, ops@desk)",
    ),
    Situation(
        "expired, and nothing to cover",
        ({**CASH, "expires": "2026-11-27"},),
        0,
        EXPIRED,
        (),
        cash_off("5000"),
        said="waivers expired: w1",
    ),
    Situation("a date of TOML", ({**CASH, "expires": date(2026, 12, 31)},), 0, USED),
    Situation("none matches: the item", ({**CASH, "item": "cash::USD"},), 2, UNUSED, FAIL),
    Situation("none matches: the kind", ({**CASH, "item": "position::EUR"},), 2, UNUSED, FAIL),
    Situation(
        "none matches: the session",
        ({**CASH, "session": "night"},),
        2,
        {},
        FAIL,
        said="waivers unused: w1",
    ),
    Situation("another case of letters", ({**CASH, "session": "DAY"},), 2, {}, FAIL),
    Situation("a pattern of sessions", ({**CASH, "session": "d?[xy]"},), 0, USED),
    Situation("every session", ({**CASH, "session": "*"},), 0, USED),
    Situation("every item of a kind", ({**CASH, "item": "cash::*"},), 0, USED),
    Situation("every item", ({**CASH, "item": "*::*"},), 0, USED),
    Situation("a quoted name", ({**CASH, "session": "[*]day"},), 2, {}, FAIL),
    Situation(
        "two match, both cover",
        (CASH, {**CASH, "id": "w2", "session": "*"}),
        0,
        {"used": ["w1", "w2"]},
    ),
    Situation(
        "two match, the second covers",
        ({**CASH, "max_amount": "1"}, {**CASH, "id": "w2"}),
        0,
        {"exceeded": ["w1"], "used": ["w2"]},
    ),
    Situation(
        "two match, one is expired",
        ({**CASH, "expires": "2026-11-01"}, {**CASH, "id": "w2"}),
        0,
        {"expired": ["w1"], "used": ["w2"]},
    ),
    Situation(
        "two ceilings are not added",
        ({**CASH, "max_amount": "3"}, {**CASH, "id": "w2", "max_amount": "3"}),
        2,
        {"exceeded": ["w1", "w2"]},
        FAIL,
    ),
    Situation(
        "CRITICAL",
        ({**CASH, "item": "*::*", "max_amount": "1000000"},),
        2,
        EXCEEDED,
        ("CRITICAL",),
        unreadable,
    ),
    Situation(
        "CRITICAL, by its finding",
        ({**CASH, "item": "*::*", "max_amount": None, "finding": "0" * 16},),
        2,
        EXCEEDED,
        ("CRITICAL",),
        unreadable,
    ),
    Situation(
        "a WARN",
        ({**CASH, "item": "position::BTC/EUR", "max_amount": "0.0005"},),
        0,
        USED,
        session=drifting,
        words=("--fail-on", "warn"),
    ),
    Situation(
        "a WARN above the ceiling",
        ({**CASH, "item": "position::BTC/EUR", "max_amount": "0.0004"},),
        2,
        EXCEEDED,
        WARN,
        drifting,
        ("--fail-on", "warn"),
    ),
    Situation("a FAIL by a waiver of WARN", ({**CASH, "severity": "WARN"},), 2, EXCEEDED, FAIL),
    Situation(
        "the cause is the same", ({**FEE, "cause": "duplicate_fee"},), 0, USED, session=double_fee
    ),
    Situation(
        "the cause changed", ({**FEE, "cause": "missing_fill"},), 2, CHANGED, FAIL, double_fee
    ),
    Situation("no cause is proven", ({**CASH, "cause": "missing_fee"},), 2, CHANGED, FAIL),
    Situation(
        "no cause is searched for",
        ({**FEE, "cause": "duplicate_fee"},),
        2,
        CHANGED,
        FAIL,
        double_fee,
        ("--explain", "off"),
    ),
    Situation(
        "an amount for what has none",
        ({**CASH, "item": "session::coverage", "max_amount": "1000000"},),
        2,
        EXCEEDED,
        FAIL,
        uncovered,
    ),
    Situation(
        "an amount for parts of a balance",
        ({**CASH, "max_amount": "1000000"},),
        2,
        EXCEEDED,
        WARN,
        locked,
        ("--fail-on", "warn"),
    ),
    Situation(
        "another finding",
        ({**CASH, "item": "session::coverage", "max_amount": None, "finding": "0" * 16},),
        2,
        CHANGED,
        FAIL,
        uncovered,
    ),
    Situation("one session of two", (CASH,), 2, USED, session=two_days),
    Situation("an empty file", (), 2, {}, FAIL, said="waivers recon-waivers.toml: none"),
)


def write_waivers(path: Path, rows: tuple[Row, ...]) -> None:
    """Write a file of waivers; a value that is `None` is left out."""
    lines = []
    for row in rows:
        lines.append("[[waiver]]")
        for name, value in row.items():
            if value is not None:
                lines.append(f"{name} = {value if isinstance(value, date) else json.dumps(value)}")
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda situation: situation.name)
def test_a_situation(situation: Situation, directory: Path, recon: Recon) -> None:
    """The status, the verdict of the diff and the account of the log are those of the table."""
    situation.session(directory)
    write_waivers(directory / "recon-waivers.toml", situation.rows)
    answer = recon("check", "s", "--audit-log", "a.jsonl", *situation.words)
    assert answer.code == situation.code, answer.out + answer.err
    assert situation.said in answer.out
    log = AuditLog(directory / "a.jsonl")
    summary = log.get_entries_by_event_type("RECON_SUMMARY")[0].details
    if situation.session is unreadable:
        summary = log.get_entries_by_event_type("RECON_SUMMARY")[-1].details
    assert summary["waivers"] == situation.account
    diffs = [entry.details for entry in log.get_entries_by_event_type("RECON_DIFF")]
    of_session = [each for each in diffs if each["run_id"] == summary["run_id"]]
    found = [
        str(each["severity"])
        for each in of_session
        if each["diff_type"] != "SESSION" or len(diffs) == 1
    ]
    assert sorted(found) == sorted(situation.verdicts), answer.out
    for each in of_session:
        uses: Any = each["waivers"]
        assert (each["severity"] == "WAIVED") is any(use["state"] == "used" for use in uses)


def test_what_a_use_records(directory: Path, recon: Recon) -> None:
    """The log has id, owner, reason, expiry and the severity that the diff was judged with."""
    cash_off()(directory)
    write_waivers(directory / "recon-waivers.toml", (CASH,))
    assert recon("check", "s", "--audit-log", "a.jsonl").code == 0
    log = AuditLog(directory / "a.jsonl")
    uses: Any = log.get_entries_by_event_type("RECON_DIFF")[0].details["waivers"]
    (use,) = uses
    assert {name: use[name] for name in ("id", "owner", "reason", "expires")} == {
        name: CASH[name] for name in ("id", "owner", "reason", "expires")
    }
    assert (use["severity"], use["state"], use["days_left"]) == ("FAIL", "used", 33)
    evidence: Any = log.get_entries_by_event_type("RECON_SUMMARY")[0].details["evidence"]
    assert evidence["waivers"]["day"] == "2026-11-28"
    assert list(evidence["waivers"]["files"]) == ["recon-waivers.toml"]


def test_an_entry_that_was_changed_after_the_run_is_another_evidence(
    directory: Path, recon: Recon
) -> None:
    """A comment changes no digest, a ceiling does."""
    cash_off()(directory)
    path, digests = directory / "recon-waivers.toml", []
    for rows, comment in (
        ((CASH,), ""),
        ((CASH,), "# why\n"),
        (({**CASH, "max_amount": "6"},), ""),
    ):
        write_waivers(path, rows)
        path.write_text(comment + path.read_text(encoding="utf-8"), encoding="utf-8")
        answer = recon("check", "s", "--format", "json")
        digests.append(answer.json["sessions"][0]["summary"]["evidence"]["waivers"]["files"])
    assert digests[0] == digests[1] != digests[2]


REFUSED: Final = (
    ({"max_amuont": "5"}, "max_amuont: unknown key; did you mean max_amount?"),
    ({"owner": " "}, "owner: ' '; expected text that is not empty"),
    ({"reason": None}, "reason: is missing"),
    ({"expires": None}, "expires: is missing"),
    ({"expires": "tomorrow"}, "expires: 'tomorrow'; expected a date like 2026-12-31"),
    ({"expires": "2026-02-30"}, "expires: '2026-02-30'; expected a date"),
    ({"expires": "2027-02-27"}, "expires: 2027-02-27 is 91 days ahead; expected 2027-02-26 at"),
    ({"max_amount": "-1"}, "max_amount: '-1'; expected an amount of 0 or more"),
    ({"max_amount": "1e3"}, "max_amount: "),
    ({"max_amount": None}, "max_amount or finding: is missing; expected one of them"),
    ({"finding": "0" * 16}, "max_amount or finding: both are given; expected one of them"),
    ({"max_amount": None, "finding": "x"}, "finding: 'x'; expected 16 hexadecimal digits"),
    ({"severity": "CRITICAL"}, "CRITICAL is never waived"),
    ({"severity": "INFO"}, "severity: 'INFO'; expected 'WARN' or 'FAIL'"),
    ({"item": "cash"}, "item: 'cash'; expected a kind and a key with two colons"),
    ({"item": "chas::EUR"}, "no kind 'chas'; did you mean cash?"),
    ({"cause": "missing_fil"}, "cause: 'missing_fil'; did you mean missing_fill?"),
    ({"id": "a b"}, "id: 'a b'; expected at most 80 letters"),
    ({"session": 5}, "session: is not text; expected text"),
    ({"reason": "\x1b[2J"}, None),
)


@pytest.mark.parametrize(("change", "expected"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_bad_entry_is_one_line(
    change: Row, expected: str | None, directory: Path, recon: Recon
) -> None:
    """The line names the file, the entry, the field, the value and what is accepted."""
    cash_off()(directory)
    write_waivers(directory / "recon-waivers.toml", ({**CASH, "id": "w1", **change},))
    answer = recon("check", "s")
    if expected is None:
        assert (answer.code, "\x1b" in answer.out) == (0, False)
    else:
        answer.refused(64, "recon waivers: recon-waivers.toml: waiver 1", expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[waivers]]\n", "waivers: unknown key; expected [[waiver]]; did you mean waiver?"),
        ("[waiver]\n", "waiver: a table; expected a list of them"),
        ("waiver = 5\n", "waiver: a table; expected a list of them"),
        ("waiver = [5]\n", "waiver 1: "),
        ("[[waiver", "is not TOML"),
        ("\xff", "is not UTF-8"),
    ],
)
def test_a_bad_file_is_one_line(text: str, expected: str, directory: Path, recon: Recon) -> None:
    """A file that cannot be used ends the run before a session is judged."""
    cash_off()(directory)
    (directory / "recon-waivers.toml").write_text(text, encoding="latin-1")
    recon("check", "s").refused(64, "recon waivers: recon-waivers.toml: ", expected)


def test_an_id_occurs_once_in_all_files(directory: Path, recon: Recon) -> None:
    """Two files of one id are refused, and a file that is named twice is read once."""
    cash_off()(directory)
    write_waivers(directory / "one.toml", (CASH,))
    write_waivers(directory / "two.toml", (CASH,))
    twice = recon("check", "s", "--waivers", "one.toml", "--waivers", "two.toml")
    twice.refused(64, "two.toml: waiver 1: id: 'w1' is that of one.toml: waiver 1 too")
    write_waivers(directory / "one.toml", (CASH, CASH))
    recon("check", "s", "--waivers", "one.toml").refused(64, "one.toml: waiver 2: id: 'w1'")
    write_waivers(directory / "one.toml", (CASH,))
    assert recon("check", "s", "--waivers", "one.toml", "--waivers", "./one.toml").code == 0


def test_files_of_one_name_are_evidence_each(directory: Path, recon: Recon) -> None:
    """Of several directories; what held shows in the summary, with a number behind the name."""
    cash_off()(directory)
    words: list[str] = []
    for name, rows in (("a", (CASH,)), ("b", ({**CASH, "id": "w2"},)), ("c", ())):
        (directory / name).mkdir()
        write_waivers(directory / name / "w.toml", rows)
        words += ["--waivers", f"{name}/w.toml"]
    answer = recon("check", "s", *words, "--format", "json")
    assert answer.code == 0, answer.err
    files = answer.json["sessions"][0]["summary"]["evidence"]["waivers"]["files"]
    assert list(files) == ["w.toml", "w.toml (2)", "w.toml (3)"]
    assert len(set(files.values())) == 3


def test_the_files_that_hold(directory: Path, recon: Recon) -> None:
    """An option holds over the setting, the setting over the files of the project."""
    cash_off()(directory)
    write_waivers(directory / "recon-baseline.toml", (CASH,))
    assert recon("check", "s").code == 0
    write_waivers(directory / "none.toml", ())
    (directory / "pytest.ini").write_text("[pytest]\nrecon_waivers =\n    none.toml\n", "utf-8")
    assert recon("check", "s").code == 2
    assert recon("check", "s", "--waivers", "recon-baseline.toml").code == 0
    recon("check", "s", "--waivers", "lost.toml").refused(64, "lost.toml: cannot be read")
    (directory / "pytest.ini").write_text("[pytest]\nrecon_waivers = lost.toml\n", "utf-8")
    recon("check", "s").refused(64, "lost.toml: cannot be read")


def test_a_dangling_link_is_no_absent_file(directory: Path, recon: Recon) -> None:
    """A link that leads nowhere is refused, and does not mean that nothing is waived."""
    cash_off("5000.00")(directory)
    (directory / "recon-waivers.toml").symlink_to("gone.toml")
    recon("check", "s").refused(64, "recon-waivers.toml: cannot be read")


@pytest.mark.parametrize(
    ("days", "expires", "code"), [(365, "2027-11-28", 0), (0, "2026-11-29", 64)]
)
def test_the_policy_says_how_far_ahead(
    days: int, expires: str, code: int, directory: Path, recon: Recon
) -> None:
    """`waiver_days` of the policy is the limit of `expires`."""
    cash_off()(directory)
    (directory / "recon.toml").write_text(f"waiver_days = {days}\n", encoding="utf-8")
    write_waivers(directory / "recon-waivers.toml", ({**CASH, "expires": expires},))
    assert recon("check", "s").code == code


def test_a_waived_difference_is_no_finding_of_a_gate_by_severity(
    directory: Path, recon: Recon
) -> None:
    """The log's gate agrees with the run; without a severity every diff is a finding."""
    cash_off()(directory)
    write_waivers(directory / "recon-waivers.toml", (CASH,))
    assert recon("check", "s", "--audit-log", "a.jsonl").code == 0
    ask = ("audit", "diffs", "--json", "a.jsonl", "--exit-on-findings")
    assert recon(*ask, "--min-severity", "WARN").code == 0
    assert recon(*ask, "--min-severity", "WAIVED").code == 2
    assert recon(*ask).code == 2


def test_an_answer_of_the_log_shows_the_waiver(directory: Path, recon: Recon) -> None:
    """Who answers for it, why and until when; also of one that did not cover."""
    cash_off()(directory)
    small = {**CASH, "id": "small", "max_amount": "1", "reason": "\x1b[2J"}
    write_waivers(directory / "recon-waivers.toml", (small, CASH))
    assert recon("check", "s", "--audit-log", "a.jsonl").code == 0
    lines = recon("audit", "detailed", "--json", "a.jsonl").lines
    assert "  waivers     1 exceeded, 1 used" in lines
    assert f"  waiver      used: w1 until 2026-12-31, ops@desk: {CASH['reason']}" in lines
    assert "  waiver      exceeded: small until 2026-12-31, ops@desk: \\x1b[2J" in lines


@pytest.mark.parametrize("waivers", [5, "w", [5], [{}], {"used": 5}, None])
def test_a_foreign_log_may_call_anything_waivers(
    waivers: object, directory: Path, recon: Recon
) -> None:
    """Answers are given, and no field of another log is believed to be ours."""
    cash_off()(directory)
    assert recon("check", "s", "--audit-log", "a.jsonl").code == 2
    export = json.loads(recon("audit", "export", "--json", "a.jsonl").out)
    for entry in export:
        if "waivers" in entry["details"]:
            entry["details"]["waivers"] = waivers
    (directory / "e.json").write_text(json.dumps(export), encoding="utf-8")
    for mode in ("summary", "diffs", "detailed", "trend"):
        assert recon("audit", mode, "--json", "e.json").code == 0
    compared = recon("audit", "compare", "last", "last", "--json", "e.json")
    assert compared.code in (0, 1)
    assert "internal error" not in compared.err
