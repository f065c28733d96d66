"""Waived findings in every format: never a failure, never absent, with the waiver's reason."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from recon_core.model.explanation import Effort
from recon_core.policy.waivers import Waiver, Waivers
from recon_core.reports.formats import FORMATS
from recon_core.reports.page.content import page
from recon_core.reports.run_json import read_run, run_json
from recon_core.reports.run_report import RunReport
from recon_core.reports.waivers import waiver_lines

from . import consumers, runs

DAY = date(2026, 11, 29)
FOUND = runs.session(
    internal={"positions": {"ETH/EUR": "1.0"}, "cash": {"EUR": "5000.00"}},
    external={"positions": {"ETH/EUR": "0.9"}, "cash": {"EUR": "4995.00"}},
)
"""Two FAILs: a position by 0.1 and a balance by 5."""


def waiver(item: str, amount: str, *, expires: date = date(2026, 12, 31)) -> Waiver:
    """A waiver of one item; its names say which one it is."""
    word = item.partition("::")[2].replace("/", "-")
    names = (f"w-{word}", "desk", item, f"{word}@desk", f"booked late, ticket {word}")
    return Waiver(*names, expires=expires, max_amount=Decimal(amount))


CASH, POSITION = waiver("cash::EUR", "5"), waiver("position::ETH/EUR", "0.1")
EXPIRED = waiver("cash::EUR", "5", expires=date(2026, 11, 28))


def judged(*entries: Waiver) -> RunReport:
    """The report of a run over the two FAILs."""
    with TemporaryDirectory() as place:
        path = runs.write(Path(place), "desk", FOUND)
        return runs.judged(Path(place), path, waivers=Waivers(DAY, entries, {"w.toml": "0" * 64}))


@cache
def both() -> RunReport:
    """A run in which both are waived."""
    return judged(CASH, POSITION)


@cache
def half() -> RunReport:
    """A run in which one is waived and the waiver of the other is over."""
    return judged(EXPIRED, POSITION)


def failures_of_json(text: str) -> list[str]:
    return [
        f"{each['kind']} {each['key']}"
        for session in json.loads(text)["sessions"]
        for each in session["comparisons"]
        if each["blocks"] or each["verdict"] in ("FAIL", "CRITICAL")
    ]


def failures_of_markdown(text: str) -> list[str]:
    return [line for line in text.splitlines() if "❌ FAIL" in line or "🛑" in line]


def failures_of_github(text: str) -> list[str]:
    return [each.message for each in consumers.github_commands(text) if each.name == "error"]


def failures_of_gitlab(text: str) -> list[str]:
    found = consumers.gitlab_degradations(text)
    return [each.description for each in found if each.severity in ("critical", "blocker")]


def failures_of_sarif(text: str) -> list[str]:
    results = json.loads(text)["runs"][0]["results"]
    return [each["message"]["text"] for each in results if each["level"] == "error"]


def failures_of_html(text: str) -> list[str]:
    body = text.partition("</style>")[2]
    return [line for line in body.splitlines() if 'class="s FAIL"' in line or "BLOCKED" in line]


def failures_of_junit(text: str) -> list[str]:
    return [each.name for each in consumers.jenkins_cases(text) if each.outcome in _FAILED]


_FAILED = ("failure", "error")
FAILURES: dict[str, Callable[[str], list[str]]] = {
    "json": failures_of_json,
    "markdown": failures_of_markdown,
    "github": failures_of_github,
    "gitlab": failures_of_gitlab,
    "sarif": failures_of_sarif,
    "html": failures_of_html,
    "junit": failures_of_junit,
}
"""By format, what a reader takes for a failure."""
LATER = [False, True]
"""A report of the run itself, and one that is made of its JSON."""


def rendered(name: str, run: RunReport, *, later: bool) -> str:
    return FORMATS[name].render(read_run(run_json(run), "run.json") if later else run)


def said(name: str, text: str) -> str:
    """The text of a report as it is read, without its escapes."""
    if name == "markdown":
        return text.replace("&#64;\u200b", "@").replace("&#45;", "-").replace("&#95;", "_")
    return consumers.github_commands(text)[0].message + text if name == "github" else text


def test_every_format_has_its_reader() -> None:
    """A format of later is looked at here, too."""
    assert list(FAILURES) == list(FORMATS)


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_waived_is_no_failure(name: str, *, later: bool) -> None:
    """And the same reader finds both of them where nothing is waived."""
    assert FAILURES[name](rendered(name, both(), later=later)) == []
    assert len(FAILURES[name](FORMATS[name].render(judged()))) >= 2


@pytest.mark.parametrize("later", LATER)
@pytest.mark.parametrize("name", FORMATS)
def test_what_is_waived_is_there_with_its_waiver(name: str, *, later: bool) -> None:
    """Item, severity WAIVED, and owner, reason and last day of its waiver."""
    text = said(name, rendered(name, both(), later=later))
    for one in (CASH, POSITION):
        parts = (one.id, one.owner, one.reason, str(one.expires))
        assert [part for part in parts if part not in text] == [], text
    assert text.count("WAIVED") >= 2


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_not_covered_fails_beside_what_is(name: str) -> None:
    """One failure, which says that its waiver is over, and one finding that is waived."""
    text = FORMATS[name].render(half())
    failures = "\n".join(FAILURES[name](text))
    assert ("cash" in failures, "position" in failures) == (True, False)
    assert "it expired on 2026-11-28" in text
    assert POSITION.reason in said(name, text)


def test_a_session_is_open_if_one_of_its_findings_blocks() -> None:
    """Whatever became of the others."""
    (block,) = page(half()).sessions
    assert block.blocks
    assert page(judged(POSITION)).waivers
    assert not page(judged()).waivers
    (block,) = page(both()).sessions
    assert not block.blocks


@pytest.mark.parametrize(("count", "more"), [(5, ""), (6, "; and 1 more")])
def test_five_waivers_are_named(count: int, more: str) -> None:
    """And the others counted."""
    entries = tuple(waiver(f"cash::C{number}", "5") for number in range(count))
    lines = [*waiver_lines(Waivers(DAY, entries, {"w.toml": "0" * 64}), [])]
    assert [
        line for line in lines if line.endswith(f"w-C4 (until 2026-12-31, 32 days, C4@desk){more}")
    ]


@pytest.mark.parametrize("consumer", [consumers.gitlab_cases, consumers.jenkins_cases])
def test_consumers_of_junit_say_the_reason(
    consumer: Callable[[str], list[consumers.Case]],
) -> None:
    """GitLab reads the content of what is skipped, Jenkins its message."""
    skipped = [one for one in consumer(FORMATS["junit"].render(both())) if one.outcome == "skipped"]
    assert len(skipped) == 2
    assert [one.name for one in skipped if "booked late, ticket" not in one.text] == []


def test_many_waived_findings_are_counted(tmp_path: Path) -> None:
    """GitHub takes ten notices of a step, and the last of them says how many there are more."""
    ours = {f"SYM{number}/EUR": "1" for number in range(12)}
    document = runs.session(
        internal={"positions": ours, "cash": {}},
        external={"positions": dict.fromkeys(ours, "0.9"), "cash": {}},
    )
    every = Waivers(DAY, (waiver("position::*", "0.1"),), {"w.toml": "0" * 64})
    path = runs.write(tmp_path, "desk", document)
    run = runs.judged(tmp_path, path, effort=Effort.OFF, waivers=every)
    found = consumers.github_commands(FORMATS["github"].render(run))
    assert [each.name for each in found] == ["notice"] * 10
    assert found[-1].message == "and 3 more: the other reports list them"


def test_nothing_is_first_to_chase_where_all_is_waived() -> None:
    """Somebody answers for it already."""
    assert "First thing to chase" not in FORMATS["html"].render(both())


def test_a_cause_of_both_kinds_says_which_finding_is_waived(tmp_path: Path) -> None:
    """Of several findings of one cause an annotation names all."""
    path = runs.write(tmp_path, "desk", runs.trading())
    of_cash = replace(CASH, max_amount=Decimal(1000000))
    run = runs.judged(tmp_path, path, waivers=Waivers(DAY, (of_cash,), {"w.toml": "0" * 64}))
    errors = failures_of_github(FORMATS["github"].render(run))
    assert any("cash EUR (WAIVED)" in each for each in errors), errors
