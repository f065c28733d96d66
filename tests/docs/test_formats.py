"""docs/formats.md says what the formats do: exact figures, limits, and every key."""

import json
import re
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.plugins.manager import extension_manager
from recon_core.sessions import find_sessions
from recon_core.sessions.formats.shipped import shipped_mapping, shipped_names
from recon_core.sessions.formats.table import parse_mapping
from recon_core.sessions.formats.table_schema import MODELS

from .blocks import blocks_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
FORMATS = ("nautilus", "freqtrade", "lean", "ccxt", "table")


def recordings() -> dict[str, list[list[str]]]:
    """The rows of the table of recordings, by recording."""
    section = TEXT.partition("## Recordings that were tried")[2].partition("\n## ")[0]
    rows: dict[str, list[list[str]]] = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] not in ("recording", "---"):
            rows.setdefault(cells[0], []).append(cells[1:])
    return rows


@pytest.mark.parametrize("place", recordings())
def test_the_table_of_recordings_is_exact(place: str) -> None:
    """Each recording has the differences of the table, to the last digit, and no other."""
    (anchor,) = find_sessions(ROOT / place, extension_manager())
    reconciliation = reconcile_session(anchor)
    found = [
        [
            f"{diff.diff_type.lower()} {diff.key}",
            f"{diff.internal:f}",
            f"{diff.external:f}",
            str(diff.severity),
        ]
        for diff in reconciliation.diffs
    ]
    assert (found or [["", "", "", "match"]]) == [row[:4] for row in recordings()[place]]
    assert reconciliation.comparisons


def test_every_recording_of_the_tests_is_in_the_table() -> None:
    """No recording in the repository is left out."""
    data = ROOT / "tests" / "data"
    places = {f"tests/data/{path.parent.name}/{path.name}" for path in data.glob("*/*/")}
    places = {place for place in places if "/fuzz/" not in place}  # inputs that a fuzzer found
    assert places <= set(recordings())


@pytest.mark.parametrize("name", FORMATS)
def test_the_limits_of_a_format_are_listed(name: str) -> None:
    """The page lists what the format declares, word for word, and nothing else."""
    declared = import_module(f"recon_core.sessions.formats.{name}").CANNOT_KNOW
    section = TEXT.partition("## What each format does not tell")[2].partition("\n## ")[0]
    listed = section.partition(f"\n{name}:\n\n")[2].partition("\n\n")[0]
    items = re.findall(r"^\* (.+)$", listed, re.MULTILINE)
    assert tuple(items) == declared


@pytest.mark.parametrize("place", ["tests/data/freqtrade/dry_spot_dca", "examples/tables/vectorbt"])
def test_the_report_shows_the_limits(place: str) -> None:
    """Whoever reads the verdicts reads what was not looked at."""
    (anchor,) = find_sessions(ROOT / place, extension_manager())
    notes = reconcile_session(anchor).notes
    assert any("not told by" in note for note in notes)
    assert not any("…" in note for note in notes)


def test_every_key_of_a_mapping_is_documented() -> None:
    """And of the tables in it."""
    keys = {name for model in MODELS for name in model.model_fields}
    texts = [TEXT, *(block.text for block in blocks_of(ROOT / "docs" / "formats.md"))]
    named = {key for key in keys if any(f"`{key}`" in text for text in texts)}
    assert keys - named <= {"amount", "currency", "key", "name", "value", "columns", "kind"}


def test_every_mapping_of_the_page_is_one() -> None:
    """What a reader copies is accepted."""
    mappings = [one for one in blocks_of(ROOT / "docs" / "formats.md") if one.language == "toml"]
    assert len(mappings) >= 5
    for block in mappings:
        parse_mapping(block.text.encode())


@pytest.mark.parametrize("name", shipped_names())
def test_every_statement_has_its_section(name: str) -> None:
    """The page says what each is, and word for word what it cannot know."""
    mapping = shipped_mapping(name)
    section = TEXT.partition(f"\n`{name}`: {mapping.about}.\n\n")[2].partition("\n#")[0]
    assert re.findall(r"^\* (.+)$", section, re.MULTILINE) == mapping.cannot_know


def id_columns(name: str) -> list[str]:
    """The columns that a mapping reads the ids of fills from."""
    tables = shipped_mapping(name).fills
    listed = tables if isinstance(tables, list) else [tables] if tables else []
    fields = [one.columns.get("fill_id") for one in listed]
    fields += [one.otherwise for one in fields if one is not None]
    return sorted({column for one in fields if one is not None for column in one.column})


@pytest.mark.parametrize("name", shipped_names())
def test_the_column_of_the_fill_id_is_documented(name: str) -> None:
    """Who numbers fills of one's own finds where the venue's ids are."""
    section = TEXT.partition(f"\n`{name}`: ")[2].partition("\n### ")[0]
    sentence = re.search(r"^The `fill_id` is (.+)\.$", section, re.MULTILINE)
    named = re.findall(r"`([^`]+)`", sentence[1]) if sentence else []
    assert sorted(named) == id_columns(name)
    assert sentence or "It has no fills." in section


def test_the_snippet_for_ccxt_saves_every_page_with_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an exchange answers by symbol, in pages and without a time is read as a side."""
    (block,) = (
        one for one in blocks_of(ROOT / "docs" / "formats.md") if one.argument == "save_account.py"
    )
    trades: list[dict[str, Any]] = [
        {"id": str(number), "symbol": "BTC/USDT", "side": "buy", "amount": 1, "price": 2,
         "timestamp": 1767268800000 + number // 2, "order": None, "fee": None, "fees": []}
        for number in range(7)
    ]  # fmt: skip

    def page(symbol: str, since: int) -> list[dict[str, Any]]:
        found = [row for row in trades if row["timestamp"] >= since and row["symbol"] == symbol]
        return found[:3]

    exchange = SimpleNamespace(
        fetch_balance=lambda: {"total": {"USDT": 1.0}},
        fetch_my_trades=page,
        fetch_closed_orders=lambda _symbol, _since: [],
        milliseconds=lambda: 1767268900000,
    )
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block.text, names)  # noqa: S102  # the snippet of the page
    names["save_account"](exchange, ["BTC/USDT"], 0)
    document = {"schema": "recon.session/1", "session_id": "s", "internal": {
        "as_of": "2026-01-01T12:01:40Z", "cash": {"USDT": "1"}},
        "external": {"from": {"format": "ccxt", "path": "account"}}}  # fmt: skip
    (tmp_path / "s.recon.json").write_text(json.dumps(document))
    found = reconcile_session(tmp_path / "s.recon.json")
    assert found.is_readable, found.comparisons
    external = found.recorded.external
    assert external is not None
    assert [fill.fill_id for fill in external.fills or ()] == [row["id"] for row in trades]
