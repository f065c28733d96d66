"""What both sides read from one source is compared with itself, and that is never clear."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recon_core.cli.convert import convert
from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model.comparison import Judgement
from recon_core.policy import Policy

from .builders import (
    AS_OF_TEXT,
    checks,
    document,
    reconciled,
    side,
    source,
    verdicts,
    write_session,
)
from .recordings import DATA

TABLES = Path(__file__).parents[2] / "examples" / "tables" / "backtrader"
NOTHING_PROVEN = "both sides were read from one source, which proves nothing"


def inline(**sections: Any) -> dict[str, Any]:
    return {"as_of": AS_OF_TEXT, **sections}


BY_TABLE = inline(positions={"path": "p.csv"}, cash={"path": "c.csv"})
SPELLED = inline(positions={"path": "./p.csv"}, cash={"path": "./c.csv"})
COPIED = inline(positions={"path": "copy.csv"}, cash={"path": "c.csv"})
REPLAYED = inline(opening={"cash": {"EUR": "9"}}, fills={"path": "f.csv"})
OTHER_OPENING = inline(opening={"cash": {"EUR": "8"}}, fills={"path": "f.csv"})

ONE_SOURCE = {
    "a mapping": (source("table", "broker.toml"), source("table", "./broker.toml")),
    "ccxt": (source("ccxt", "account"), source("ccxt", "account")),
    "a side of a recording": (
        source("nautilus", "run", side="external"),
        source("nautilus", "run/meta.json"),
    ),
    "the replayed side of a recording": (
        source("nautilus", "run"),
        source("nautilus", "run", side="internal"),
    ),
    "tables": (BY_TABLE, SPELLED),
    "a replay of one table": (REPLAYED, REPLAYED),
}
TWO_SOURCES = {
    "two mappings": (source("table", "broker.toml"), source("table", "copy.toml")),
    "both sides of a recording": (source("nautilus", "run"), source("nautilus", "run")),
}


def session(directory: Path, internal: dict[str, Any], external: dict[str, Any]) -> Path:
    """A session file with everything beside it that the cases name."""
    shutil.copytree(TABLES, directory, dirs_exist_ok=True)
    (directory / "session.recon.json").unlink()
    shutil.copy(directory / "broker.toml", directory / "copy.toml")
    shutil.copytree(DATA / "nautilus" / "spot_btcusdt_quotes_partial", directory / "run")
    texts = {
        "account/balance.json": '{"total": {"EUR": 1}, "timestamp": 1767268800000}',
        "account/positions.json": '[{"symbol": "X", "contracts": 1, "contractSize": 1,'
        ' "side": "long"}]',
        "p.csv": "symbol,quantity\nX,1\n",
        "c.csv": "currency,total\nEUR,1\n",
        "f.csv": "fill_id,symbol,side,quantity,price,time\n"
        "f1,BTC/EUR,BUY,1,1,2026-01-01T09:30:00Z\n",
    }
    for name, text in texts.items():
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).write_text(text, encoding="utf-8")
    shutil.copy(directory / "p.csv", directory / "copy.csv")
    pair = {"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}}
    sides = document(instruments=pair, internal=internal, external=external)
    return write_session(directory, sides, "day.recon.json")


def coverage_judged(reconciliation: Reconciliation) -> Judgement:
    return next(
        judgement
        for judgement in reconciliation.judgements
        if judgement.comparison.identity == "session::coverage"
    )


def coverage(reconciliation: Reconciliation) -> str:
    return coverage_judged(reconciliation).message


def coverage_notes(reconciliation: Reconciliation) -> tuple[str, ...]:
    return coverage_judged(reconciliation).comparison.notes


@pytest.mark.parametrize("sides", ONE_SOURCE.values(), ids=ONE_SOURCE)
def test_positions_and_cash_of_one_source(tmp_path: Path, sides: tuple[Any, Any]) -> None:
    """All items match, and the session is no evidence: it says so and fails."""
    found = reconcile_session(session(tmp_path, *sides))
    assert set(verdicts(found).values()) == {"match"}
    assert not any(name.startswith(("fill::", "order::")) for name in verdicts(found))
    for section in ("positions", "cash"):
        assert f"{section}: {NOTHING_PROVEN}" in coverage(found)
    assert checks(found)["coverage"] == "FAIL"


@pytest.mark.parametrize("sides", TWO_SOURCES.values(), ids=TWO_SOURCES)
def test_two_sources_are_evidence(tmp_path: Path, sides: tuple[Any, Any]) -> None:
    assert checks(reconcile_session(session(tmp_path, *sides)))["coverage"] == "match"


def test_a_mirror_says_so_and_no_more(tmp_path: Path) -> None:
    """That its tables are those of the ledger is what it is."""
    found = reconcile_session(session(tmp_path, BY_TABLE, {"mirror": "internal"}))
    assert checks(found)["coverage"] == "WARN"
    assert NOTHING_PROVEN not in "".join([coverage(found), *coverage_notes(found)])


def test_rows_of_one_source_are_no_evidence(tmp_path: Path) -> None:
    """Beside states of two sources: a note, and a FAIL where the policy asks for them."""
    ours, theirs = (
        inline(positions={"path": name}, cash={"EUR": "1"}, fills={"path": "f.csv"})
        for name in ("p.csv", "copy.csv")
    )
    path = session(tmp_path, ours, theirs)
    assert f"fills: {NOTHING_PROVEN}" in coverage_notes(reconcile_session(path))
    found = reconcile_session(path, Policy(require=frozenset({"positions", "fills"})))
    assert f"fills: {NOTHING_PROVEN}" in coverage(found)
    assert checks(found)["coverage"] == "FAIL"


def test_one_section_of_one_source(tmp_path: Path) -> None:
    """The other one is compared, and the text names the one that is not."""
    found = reconcile_session(session(tmp_path, BY_TABLE, COPIED))
    assert coverage(found) == f"session coverage: FAIL, cash: {NOTHING_PROVEN}"


def test_a_replay_on_another_opening_differs(tmp_path: Path) -> None:
    """The fills are the same, and the openings are compared by what comes of them."""
    found = reconcile_session(session(tmp_path, REPLAYED, OTHER_OPENING))
    assert verdicts(found)["cash::EUR"] == "FAIL"
    assert f"positions: {NOTHING_PROVEN}" in coverage(found)
    assert "cash: " not in coverage(found)


def test_nothing_is_required_and_nothing_was_compared(tmp_path: Path) -> None:
    """A policy that requires no section does not make a self-comparison clear."""
    policy = Policy(require=())
    found = reconcile_session(session(tmp_path, BY_TABLE, BY_TABLE), policy)
    assert "nothing was compared" in coverage(found)
    assert checks(found)["coverage"] == "FAIL"


def test_a_side_that_was_computed_anew_is_evidence() -> None:
    """A hook may replace what was read; only equal rows of one source prove nothing."""
    origins = {"positions": "one file", "cash": "one file"}
    ours = side({"X": "1"}, {"EUR": "1"}, origins=origins)
    theirs = side({"X": "2"}, {"EUR": "2"}, origins=origins)
    assert checks(reconciled(ours, theirs))["coverage"] == "match"
    assert checks(reconciled(ours, side({"X": "1"}, {"EUR": "1"})))["coverage"] == "match"


def test_one_source_is_not_converted(tmp_path: Path) -> None:
    """Written out, the rows of one source would look like the words of two."""
    path = session(tmp_path, BY_TABLE, BY_TABLE)
    done = CliRunner().invoke(convert, [str(path), "-o", str(tmp_path / "out.recon.json")])
    assert done.exit_code == 1
    assert "positions, cash: both sides were read from one source" in str(done.exception)
    assert not (tmp_path / "out.recon.json").exists()


def test_a_mirror_is_converted(tmp_path: Path) -> None:
    """It says of itself what it is, in one file as well."""
    path = session(tmp_path, BY_TABLE, {"mirror": "internal"})
    target = tmp_path / "out.recon.json"
    done = CliRunner().invoke(convert, [str(path), "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert checks(reconcile_session(target))["coverage"] == "WARN"
