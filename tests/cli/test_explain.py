"""`recon explain`, and what `recon check` and `recon audit` say of explanations."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recon_core.model.explanation import Explanation

from .conftest import EXAMPLES, Recon, write_session

SESSIONS = EXAMPLES / "explain"
LOST = SESSIONS / "lost_fill.recon.json"
POSITIONS_ONLY = SESSIONS / "positions_only.recon.json"
MISSING = "missing a fill, or several of this sum: BUY 0.061729 BTC/USDT at 42032.61"
LONGEST_LINE = 500


def unexplained(path: Path) -> Path:
    """Two states that differ by nothing that one or two faults could be."""
    return write_session(
        path,
        {"BTC/EUR": "1.23456789"},
        {"EUR": "5000.00"},
        external_positions={"BTC/EUR": "1.11111111"},
        external_cash={"EUR": "4321.09"},
    )


@pytest.mark.parametrize(
    ("name", "kinds", "side", "ids"),
    [
        ("lost_fill", ["missing_fill"], "internal", 0),
        ("double_fee", ["duplicate_fee"], "internal", 1),
        ("stale_exchange", ["stale_side"], "external", 3),
    ],
)
def test_the_cause_is_named(recon: Recon, name: str, kinds: list[str], side: str, ids: int) -> None:
    """Each example has one cause, on its side, with every diff that goes with it."""
    answer = recon("explain", SESSIONS / f"{name}.recon.json", "--format", "json")
    assert (answer.code, answer.err) == (0, "")
    (explanation,) = answer.json["explanations"]
    assert explanation["verdict"] == "unique"
    assert explanation["side"] == side
    assert [cause["kind"] for cause in explanation["causes"]] == kinds
    assert len(explanation["causes"][0]["ids"]) == ids
    assert sorted(explanation["explains"]) == sorted(
        f"{diff['diff_type'].lower()}::{diff['key']}" for diff in answer.json["diffs"]
    )


def test_the_shape_of_the_document(recon: Recon) -> None:
    """The keys of issue and schema, for one session and for several."""
    one = recon("explain", LOST, "--format", "json").json
    assert list(one) == ["session_id", "diffs", "explanations"]
    assert set(one["explanations"][0]) == {
        "verdict", "side", "causes", "residual", "explains", "text", "proof", "decides",
        "alternatives", "repair", "aliases", "known",
    }  # fmt: skip
    assert set(one["explanations"][0]["causes"][0]) == {"kind", "side", "ids", "effect", "text"}
    several = recon("explain", LOST, POSITIONS_ONLY, "--format", "json").json
    assert several[0] == one
    assert [each["session_id"] for each in several] == ["lost_fill", "positions_only"]
    schema = Draft202012Validator(recon("schema", "explanation").json)
    for document in (one, several):
        schema.validate(document)
    assert not schema.is_valid({**one, "explanations": [{"verdict": "sure"}]})


def test_an_explanation_survives_json(recon: Recon) -> None:
    """`from_dict` reads what `to_dict` wrote, also after JSON."""
    for path in (LOST, POSITIONS_ONLY, SESSIONS / "stale_exchange.recon.json"):
        for data in recon("explain", path, "--format", "json").json["explanations"]:
            assert Explanation.from_dict(data).to_dict() == data


def test_the_text(recon: Recon) -> None:
    """The cause first, then its kind, effect, proof and booking, the differences, what to run."""
    answer = recon("explain", LOST)
    said = " ".join(answer.out.split())
    assert said.startswith("3 FAIL lost_fill (")
    assert f"Cause, proven (ledger): {MISSING}, fee 2.59463098 USDT Kind: missing_fill " in said
    assert "Off by: position BTC/USDT -0.061729, cash BTC -0.06172900, cash USDT +2597" in said
    assert "3 diffs disappear, none appears Repair: ledger: add fill repair-fill-" in said
    assert said.index("Repair: ") < said.index("FAIL position BTC/USDT: ledger 1.160508 BTC, exch")
    assert said.count("cash USDT: ledger 51530.13621816 USDT, exchange 48932.91060449 USDT") == 1
    indents = {
        line.split()[0]: len(line) - len(line.lstrip())
        for line in answer.lines
        if line.split()[0] in ("Cause,", "Kind:", "FAIL")
    }
    assert indents == {"Cause,": 2, "Kind:": 4, "FAIL": 4}  # what a cause explains is below it
    assert answer.lines[-1].startswith("  Next: recon repair ")


def test_the_sides_have_the_names_of_the_session(recon: Recon, directory: Path) -> None:
    """The sources, where the session gives them, in every sentence."""
    document = json.loads(LOST.read_text())
    document["internal"]["source"], document["external"]["source"] = "my bot", "Kraken"
    (directory / "day.recon.json").write_text(json.dumps(document))
    (directory / "lost_fill.csv").write_bytes((SESSIONS / "lost_fill.csv").read_bytes())
    answer = recon("explain", "day.recon.json", "--color", "never")
    assert "Cause, proven (my bot): missing a fill" in answer.out
    assert "Repair: my bot: add fill" in answer.out
    assert not {"internal", "external", "ledger", "exchange"} & set(re.findall(r"\w+", answer.out))


def test_what_is_open_says_what_would_decide(recon: Recon) -> None:
    """From positions alone nothing is named, and no booking is proposed."""
    answer = recon("explain", POSITIONS_ONLY)
    assert "  Possible cause, 1 of " in answer.out
    assert "To find out: the cash USDT of the exchange" in answer.out
    assert "epair" not in answer.out


def test_what_is_unexplained_states_what_is_left(recon: Recon, directory: Path) -> None:
    """The deltas remain, and the text says so."""
    answer = recon("explain", unexplained(directory / "odd.recon.json"))
    assert answer.code == 0
    assert "  No cause found: no one or two faults account for" in answer.out
    assert "    Remains: position BTC/EUR +0.12345678, cash EUR +678.91" in answer.out


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"cash": {"EUR": "10"}}, "ledger and exchange agree in every position and balance"),
        ({}, "ledger and exchange have no position and no balance to compare"),
    ],
)
def test_why_no_cause_is_searched_for(
    recon: Recon, directory: Path, sections: dict[str, Any], said: str
) -> None:
    """Agreement is said of figures that are compared, and of no others."""
    row = {"fill_id": "f1", "symbol": "A/EUR", "side": "BUY", "quantity": "1", "price": "1",
           "fee": "0", "fee_currency": "EUR", "time": "2026-01-01T11:00:00Z"}  # fmt: skip
    side = {"as_of": "2026-01-01T12:00:00Z", **sections}
    rows = [{**row, "fill_id": name} for name in ("f1", "x1")]
    path = write_session(
        directory / "ids.recon.json",
        internal={**side, "fills": rows[:1]},
        external={**side, "fills": rows[1:]},
    )
    shown = " ".join(recon("explain", path).out.split())
    assert f" No cause is searched for: {said} " in shown
    assert " note equal in all but id to fill x1 of the exchange " in shown
    assert " 1 fill is on both sides under different ids, " in shown


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([LOST], 0),
        ([LOST, "--exit-on-findings"], 2),
        ([EXAMPLES / "minimal/clear.recon.json", "--exit-on-findings"], 0),
        ([EXAMPLES / "suite/blocked/truncated.recon.json"], 1),
        ([EXAMPLES / "suite/blocked/truncated.recon.json", "--exit-on-findings"], 1),
        ([LOST, EXAMPLES / "suite/blocked/truncated.recon.json"], 1),
        (["no-such-session"], 64),
        ([], 64),
        ([LOST, "--effort", "off"], 64),
        ([LOST, "--effort", "much"], 64),
        ([LOST, "--policy", "missing.toml"], 64),
        ([LOST, "--format", "xml"], 64),
    ],
    ids=str,
)
def test_exit_codes(recon: Recon, words: list[object], code: int) -> None:
    """One table for all commands that answer."""
    assert recon("explain", *words).code == code


def test_a_session_that_compares_nothing_cannot_be_judged(recon: Recon, directory: Path) -> None:
    """As for `recon check`."""
    one_sided = {"as_of": "2026-01-01T12:00:00Z"}
    path = write_session(directory / "empty.recon.json", internal=one_sided, external=one_sided)
    assert recon("explain", path).code == 1


def test_of_a_session_that_cannot_be_read_nothing_is_said_but_why(recon: Recon) -> None:
    """Its sides have no figures that could agree."""
    shown = recon("explain", EXAMPLES / "suite/blocked/truncated.recon.json").out
    assert "truncated.recon.json: is not JSON" in " ".join(shown.split())
    assert "No cause is searched for" not in shown


def test_a_policy_counts(recon: Recon, directory: Path) -> None:
    """What the policy pairs is no diff and needs no explanation."""
    path = write_session(
        directory / "names.recon.json", {"XBT": "1"}, external_positions={"BTC": "1"}
    )
    (directory / "recon.toml").write_text('[aliases]\ninternal = { XBT = "BTC" }\n')
    assert recon("explain", path, "--format", "json").json["diffs"] == []
    (directory / "recon.toml").unlink()
    (one,) = recon("explain", path, "--format", "json").json["explanations"]
    assert [cause["kind"] for cause in one["causes"]] == ["alias"]
    assert (one["repair"], one["aliases"]) == ([], {"internal": {"XBT": "BTC"}})
    shown = recon("explain", path)
    policy = [line.partition("Policy: ")[2] for line in shown.lines if "Policy: " in line]
    assert policy == ["[aliases]", 'internal = { "XBT" = "BTC" }']
    assert "epair" not in shown.out
    (directory / "recon.toml").write_text("\n".join(policy))
    assert recon("explain", path, "--format", "json").json["diffs"] == []


@pytest.mark.parametrize("words", [["explain"], ["check", "--explain=fast"]], ids=str)
def test_no_line_is_a_wall(recon: Recon, directory: Path, words: list[str]) -> None:
    """40 fills that were never booked are five ids and a number."""
    document = json.loads((SESSIONS / "stale_exchange.recon.json").read_text())
    opening = document["internal"]["opening"]
    document["external"] |= {"positions": {}, "cash": opening["cash"]}
    (directory / "day.recon.json").write_text(json.dumps(document))
    table = SESSIONS / "stale_exchange.csv"
    (directory / "stale_exchange.csv").write_bytes(table.read_bytes())
    answer = recon(*words[:1], "day.recon.json", *words[1:])
    assert words[0] == "check" or "and 45 more" in answer.out
    assert max(map(len, answer.lines)) < LONGEST_LINE


def test_check_says_why(recon: Recon, directory: Path) -> None:
    """One row in the text, the whole in JSON and in the JUnit file."""
    answer = recon("check", LOST, "--junit", "recon.xml")
    assert answer.code == 2
    said = " ".join(answer.out.split())
    assert said.count("Cause, proven (ledger): missing a fill, or several of this sum: BUY") == 1
    assert "BTC/USDT at 42032.61, fee 2.595 USDT" in said
    cases = list(ET.parse(directory / "recon.xml").iter("testcase"))  # noqa: S314  # written here
    told = [case for case in cases if "recon.explanation=" in case.findtext("system-out", "")]
    assert len(told) == 3
    failure = told[0].find("failure")
    assert failure is not None
    assert f"  Cause, proven (ledger): {MISSING}, fee 2.59463098 USDT\n" in (failure.text or "")
    compared = recon("check", LOST, "--format", "json").json["sessions"][0]["comparisons"]
    diffs = [each["diff"] for each in compared if each["diff"]]
    assert [diff["explanation"]["verdict"] for diff in diffs] == ["unique"] * 3


def test_check_without_explanations(recon: Recon, directory: Path) -> None:
    """The option comes before the setting; verdict and status never depend on either."""
    off = recon("check", LOST, "--explain", "off")
    assert off.code == 2
    assert "Cause" not in off.out
    (directory / "pytest.ini").write_text("[pytest]\nrecon_explain = off\n")
    assert recon("check", LOST).out == off.out
    assert "Cause, proven" in recon("check", LOST, "--explain", "full").out
    (directory / "pytest.ini").write_text("[pytest]\nrecon_explain = much\n")
    recon("check", LOST).refused(64, "recon_explain", "off, fast or full")


def conclusions(directory: Path) -> list[dict[str, Any]]:
    """The explanations that the diffs of the log carry."""
    lines = (directory / "audit.jsonl").read_text().splitlines()
    entries = [json.loads(line) for line in lines]
    found = [each["details"]["explanation"] for each in entries if "delta" in each["details"]]
    return [each for each in found if each is not None]


def test_the_audit_log_keeps_the_conclusion(recon: Recon, directory: Path) -> None:
    """Verdict, side, causes and text, without proof and repair; every mode still reads it."""
    assert recon("check", LOST, "--audit-log", "audit.jsonl").code == 2
    found = conclusions(directory)
    assert len(found) == 3
    assert all(set(each) == {"verdict", "side", "causes", "text"} for each in found)
    diffs = recon("audit", "diffs", "--json", "audit.jsonl")
    lacks = MISSING.replace("missing", "the ledger lacks", 1)
    assert diffs.out.count(f"  why: unique: {lacks}") == 3
    detailed = recon("audit", "detailed", "--json", "audit.jsonl")
    assert detailed.out.count(f"  why         unique: {lacks}") == 3
    assert recon("audit", "verify", "--json", "audit.jsonl").code == 0
    as_json = recon("audit", "diffs", "--json", "audit.jsonl", "--format", "json").json
    assert [item["explanation"]["side"] for item in as_json["items"]] == ["internal"] * 3
    assert recon("audit", "export", "--json", "audit.jsonl", "--output", "e.json").code == 0
    again = recon("audit", "diffs", "--json", "e.json")
    assert again.out == diffs.out


def test_a_log_of_an_older_version_reads_as_before(recon: Recon, directory: Path) -> None:
    """A diff without the key, with null and with something odd has no such line."""
    assert recon("check", LOST, "--audit-log", "audit.jsonl").code == 2
    assert recon("audit", "export", "--json", "audit.jsonl", "--output", "e.json").code == 0
    entries = json.loads((directory / "e.json").read_text())
    diffs = [entry for entry in entries if entry["event_type"] == "RECON_DIFF"]
    del diffs[0]["details"]["explanation"]
    diffs[1]["details"]["explanation"] = None
    diffs[2]["details"]["explanation"] = ["unique"]
    (directory / "e.json").write_text(json.dumps(entries))
    for mode in ("diffs", "detailed", "trend", "summary"):
        answer = recon("audit", mode, "--json", "e.json")
        assert answer.code == 0
        assert "why" not in answer.out


def test_hostile_names_stay_harmless(recon: Recon, directory: Path) -> None:
    """A symbol with escapes reaches neither terminal nor log as it is."""
    hostile = "\x1b[2J::error::EUR"
    path = write_session(
        directory / "odd.recon.json",
        {hostile: "1.5"},
        external_positions={hostile: "1"},
    )
    for words in (["explain", path], ["check", path]):
        answer = recon(*words)
        assert "\x1b" not in answer.out
        assert "::error" not in answer.out


@pytest.mark.parametrize(
    ("words", "loaded"),
    [
        (["check", str(LOST), "--explain", "off"], "NOT"),
        (["check", str(EXAMPLES / "minimal/clear.recon.json")], "NOT"),
        (["explain", "--help"], "NOT"),
        (["check", str(LOST)], "LOADED"),
    ],
    ids=str,
)
def test_the_search_is_loaded_where_it_is_needed(words: list[str], loaded: str) -> None:
    """Without a diff, and where it is off, nothing of it is imported."""
    code = (
        "import sys; from recon_core.cli import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "print('LOADED' if 'recon_core.explain.explainer' in sys.modules else 'NOT')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    assert result.stdout.splitlines()[-1] == loaded
