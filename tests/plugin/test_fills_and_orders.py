"""Fills and orders as items: outcomes, properties, folding, with and without workers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.matrices import matrix

from .conftest import (
    AS_OF,
    REPORTS_CONFTEST,
    final_line,
    read_reports,
    run_pytest,
    session_document,
    write_session,
)

SESSION = "--recon-session=desk.recon.json"
WAYS = [(), ("-n2",), ("-p", "no:xdist")]


def fill_row(fill_id: str, **more: str) -> dict[str, str]:
    row = {"fill_id": fill_id, "symbol": "BTC/EUR", "side": "BUY", "quantity": "0.1"}
    return {**row, "price": "42000", "client_order_id": f"o-{fill_id}", "time": AS_OF, **more}


def order_row(order_id: str, **more: str) -> dict[str, str]:
    row = {"client_order_id": order_id, "symbol": "BTC/EUR", "side": "BUY", "quantity": "0.1"}
    return {**row, "filled_quantity": "0.1", "state": "FILLED", "time": AS_OF, **more}


def write(path: Path, internal: dict[str, Any], external: dict[str, Any]) -> None:
    """A session of equal positions and cash, and of what is given."""
    document = session_document("desk")
    document["internal"] |= internal
    document["external"] |= external
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.fixture
def desk(pytester: pytest.Pytester) -> Path:
    """Three fills and three orders, of each an equal one, a WARN and a FAIL."""
    path = pytester.path / "desk.recon.json"
    late, names = "2026-01-01T12:00:01Z", ("a", "b", "c")
    write(
        path,
        {
            "fills": [fill_row(name) for name in names],
            "orders": [order_row(f"o-{name}") for name in names],
        },
        {
            "fills": [fill_row("a"), fill_row("b", time=late), fill_row("c", price="42001")],
            "orders": [
                order_row("o-a"),
                order_row("o-b", time=late),
                order_row("o-c", state="CANCELLED"),
            ],
        },
    )
    pytester.makeconftest(REPORTS_CONFTEST)
    return path


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_they_are_items_like_any_other(pytester: pytest.Pytester, way: tuple[str, ...]) -> None:
    """A match passes, WARN is an xfail, FAIL fails; kind and key are in the properties."""
    result = run_pytest(pytester, SESSION, "--recon-explain=off", *way)
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 2 WARN in 1 session)"
    reports = read_reports(pytester)
    found = {
        node_id.partition("::")[2]: (report["outcome"], dict(report["properties"]))
        for node_id, report in reports.items()
    }
    expected = {
        "fill::BTC/EUR,a": ("passed", "match"),
        "fill::BTC/EUR,b": ("skipped", "WARN"),
        "fill::BTC/EUR,c": ("failed", "FAIL"),
        "order::o-a": ("passed", "match"),
        "order::o-b": ("skipped", "WARN"),
        "order::o-c": ("failed", "FAIL"),
    }
    for identity, (outcome, verdict) in expected.items():
        kind, _, key = identity.partition("::")
        assert found[identity] == (
            outcome,
            {
                "recon.session_id": "desk",
                "recon.kind": kind,
                "recon.key": key,
                "recon.severity": verdict,
                "recon.drift": "0" if verdict == "match" else "",
            },
        )
    text = reports["desk.recon.json::fill::BTC/EUR,c"]["text"]
    assert "fill c of BTC/EUR: FAIL, price differs" in text
    assert "ledger BUY 0.1 at 42000" in text
    assert "exchange BUY 0.1 at 42001" in text


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("words", "way"),
    matrix([("--recon-max-items=2", ""), ("--recon-max-items=0", "9"), ("", "2")], WAYS),
    ids=str,
)
def test_above_the_number_equal_ones_are_one_item(
    pytester: pytest.Pytester, words: tuple[str, str], way: tuple[str, ...]
) -> None:
    """The option before the ini; the same with workers, who all find the same names."""
    option, ini = words
    pytester.makeini(f"[pytest]\nrecon_max_items = {ini}\n")
    result = run_pytest(pytester, SESSION, *way, *filter(None, [option]))
    assert final_line(result) == "RECON: BLOCKED (2 FAIL, 2 WARN in 1 session)"
    most = option.rpartition("=")[2] or ini
    known_when_read_here = [
        "recon: 1 session, 13 comparisons, policy built-in",
        f"recon: 1 equal fill is 1 item (--recon-max-items={most})",
        f"recon: 1 equal order is 1 item (--recon-max-items={most})",
    ]
    first = (
        ["recon: 1 session, read by workers, policy built-in"]
        if "-n2" in way
        else known_when_read_here
    )
    result.stdout.fnmatch_lines(
        [*first, "*fills: 1 that are equal on both sides are one item, called 'equal'*"]
    )
    reports = read_reports(pytester)
    assert len(reports) == 13
    properties = dict(reports["desk.recon.json::fill::equal"]["properties"])
    assert properties["recon.folded"] == "1"
    assert len(properties["recon.sha256"]) == 64
    assert properties["recon.severity"] == "match"


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize("way", WAYS, ids=" ".join)
def test_the_digest_stands_in_both_junit_files(
    pytester: pytest.Pytester, way: tuple[str, ...]
) -> None:
    """On the items that stand for many, and on no other."""
    files = "--junitxml=own.xml", "--recon-junit=suites.xml"
    run_pytest(pytester, SESSION, *way, *files, "--recon-max-items=2")
    text = (pytester.path / "own.xml").read_text(encoding="utf-8")
    digests = re.findall(r'name="recon.sha256" value="([0-9a-f]{64})"', text)
    text = (pytester.path / "suites.xml").read_text(encoding="utf-8")
    assert len(set(digests)) == 2
    stated = re.findall(r"^recon.sha256=([0-9a-f]{64})\b", text, re.MULTILINE)
    assert sorted(stated) == sorted(digests)
    assert re.findall(r"^recon.folded=(.*)$", text, re.MULTILINE) == ["1", "1"]


def test_a_large_set_is_one_item(pytester: pytest.Pytester) -> None:
    """20,001 equal fills are one item by default, and one that differs is its own."""
    rows = [fill_row(str(number), client_order_id=str(number)) for number in range(20_001)]
    others = [*rows[:-1], {**rows[-1], "quantity": "0.2"}]
    write(pytester.path / "desk.recon.json", {"fills": rows}, {"fills": others})
    result = run_pytest(pytester, SESSION)
    assert final_line(result) == "RECON: BLOCKED (1 FAIL in 1 session)"
    result.stdout.fnmatch_lines("recon: 20000 equal fills are 1 item (--recon-max-items=20000)")
    result.assert_outcomes(passed=8, failed=1)


@pytest.mark.parametrize(
    ("option", "ini", "message"),
    [
        ("--recon-max-items=-1", "", "--recon-max-items: -1; expected 0 or more"),
        ("--recon-max-items=many", "", "--recon-max-items: invalid int value: 'many'"),
        ("", "-1", "recon_max_items: '-1'; expected a whole number of 0 or more"),
        ("", "1e3", "recon_max_items: '1e3'; expected a whole number of 0 or more"),
    ],
)
def test_what_the_number_may_not_be(
    pytester: pytest.Pytester, option: str, ini: str, message: str
) -> None:
    """A usage error before anything runs."""
    write_session(pytester.path / "desk.recon.json")
    pytester.makeini(f"[pytest]\nrecon_max_items = {ini}\n")
    result = run_pytest(pytester, SESSION, *filter(None, [option]))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"*{message}*")


def test_the_policy_changes_severities(pytester: pytest.Pytester, desk: Path) -> None:
    """`[severity]` and `[aliases]` of `recon.toml` hold in pytest as in the core."""
    text = (
        '[severity]\nfill_payload = "INFO"\norder_state = "WARN"\norder_cancelled_filled = "INFO"\n'
    )
    (pytester.path / "recon.toml").write_text(text, encoding="utf-8")
    result = run_pytest(pytester, f"--recon-session={desk.name}")
    assert final_line(result) == "RECON: CLEAR (1 session, 13 comparisons, 3 WARN)"
    (pytester.path / "recon.toml").write_text('[severity]\nfill_lost = "INFO"\n', encoding="utf-8")
    result = run_pytest(pytester, f"--recon-session={desk.name}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines("*recon.toml: severity.fill_lost: unknown key*")
