"""The page of figures is the one that its files make, and says what they say."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture
def report(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module that makes the page; a benchmark is a script beside it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("report", "figures", "chart", "night"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return import_module("report")


@pytest.fixture
def run(report: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make the documents of some figures; returns the exit status."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "scale.md").write_bytes((ROOT / "docs" / "scale.md").read_bytes())

    def made(figures: Path) -> int:
        words = ["report.py", "--figures", str(figures), "--docs", str(tmp_path / "docs")]
        monkeypatch.setattr(sys, "argv", words)
        return int(report.main())

    return made


def figures(directory: Path, name: str, **changes: Any) -> None:
    """A file of figures: two that are targets, and one that is none."""
    document = {
        "schema": "recon.benchmark/1",
        "benchmark": name,
        "title": "Some sessions",
        "about": "What is measured.",
        "command": f"python benchmarks/{name}.py",
        "peers": {"duckdb": "1.4.2"},
        "figures": [
            {"case": "a", "measure": "ratio", "value": 0.5, "unit": "times", "at_most": 0.6},
            {"case": "b", "measure": "ratio", "value": 0.7, "unit": "times", "at_most": 0.6},
            {"case": "a", "measure": "time", "value": 1234.5, "unit": "s"},
        ],
        "curves": [],
        "date": "2026-11-29",
        "release": "0.1.0",
        "machine": {"system": "Linux", "cores": "2", "python": "3.11.7", "load": "0.1"},
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.json").write_text(json.dumps(document | changes), encoding="utf-8")


def costs(directory: Path) -> None:
    """The file that the calculation is made of."""
    values = {"a session": 4.5, "its file": 2.0, "its results in memory": 8.0}
    rows = [
        {"case": "60 comparisons", "measure": measure, "value": value, "unit": "ms"}
        for measure, value in values.items()
    ]
    curve = {"x": "sessions", "y": "CPU seconds", "points": [[1, 0.4], [100, 0.8], [1000, 4.9]]}
    curves = [{"name": name, **curve} for name in ("recon check <b>", "pytest")]
    figures(directory, "curves", figures=rows, curves=curves)


def test_the_documents_are_made_of_the_figures(run: Any, tmp_path: Path) -> None:
    """`make bench-report` was run after the last change of a figure."""
    assert run(BENCHMARKS / "figures") == 0
    for name in ("performance.md", "scale.md", "scale.svg"):
        made = (tmp_path / "docs" / name).read_text(encoding="utf-8")
        assert made == (ROOT / "docs" / name).read_text(encoding="utf-8"), name


def test_a_page_has_targets_peers_and_history(run: Any, tmp_path: Path) -> None:
    """Files of any benchmark are taken; releases are in the order of their numbers."""
    for release in ("0.9.0", "0.10.0"):
        figures(tmp_path / "f" / release, "columns")
        costs(tmp_path / "f" / release)
    assert run(tmp_path / "f") == 0
    page = (tmp_path / "docs" / "performance.md").read_text(encoding="utf-8")
    assert "\n## 0.10.0\n\n1 of 2 targets are met.\n" in page
    assert "| a | **0.5** (at most 0.6) | 1,234 |\n" in page
    assert "| b | **0.7** (at most 0.6, missed) |  |\n" in page
    assert "Python 3.11.7, duckdb 1.4.2." in page
    history = page.partition("## History\n")[2]
    assert "|  | case | measure | 0.10.0 | 0.9.0 |" in history


def test_the_calculation_is_that_of_the_costs(run: Any, tmp_path: Path) -> None:
    """4.5 ms for a million are 1.25 hours of a core."""
    costs(tmp_path / "f" / "1.0")
    assert run(tmp_path / "f") == 0
    scale = (tmp_path / "docs" / "scale.md").read_text(encoding="utf-8")
    assert "| 60 comparisons | 4.5 ms | 1.2 | 1 | 2 GiB |" in scale
    assert "50,000 sessions in one command are 0.4 GiB" in scale


def test_the_picture_is_readable_on_both_grounds(run: Any, tmp_path: Path) -> None:
    """Well-formed, with the name of each curve, and with colours for a dark page."""
    costs(tmp_path / "f" / "1.0")
    assert run(tmp_path / "f") == 0
    picture = (tmp_path / "docs" / "scale.svg").read_text(encoding="utf-8")
    root = ET.fromstring(picture)  # noqa: S314  # made here
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"recon check <b>", "pytest", "sessions", "CPU seconds", "1,000"} <= set(texts)
    light, _, dark = picture.partition("@media (prefers-color-scheme: dark)")
    for part, ground in ((light, "#ffffff"), (dark, "#161b22")):
        colours = re.findall(r"\.n\d+ \{ fill: (#[0-9a-f]{6})", part)
        assert len(colours) == 6
        assert min(contrast(colour, ground) for colour in colours) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, as WCAG 2 has it."""
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"schema": "recon.benchmark/2"}, "columns.json: schema: expected 'recon.benchmark/1'"),
        ({"more": 1}, "columns.json: expected an object of "),
        ({"figures": [{"case": "a"}]}, "columns.json: figures: "),
        ({"figures": [{"case": "a", "measure": "b", "value": 1, "unit": "h"}]}, "a: b: value or"),
        ({"curves": [[]]}, "columns.json: curves: expected an object of "),
    ],
)
def test_a_file_of_another_form_is_refused(
    run: Any,
    tmp_path: Path,
    changes: dict[str, Any],
    expected: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In one line, with the file and the field."""
    costs(tmp_path / "f" / "1.0")
    figures(tmp_path / "f" / "1.0", "columns", **changes)
    assert run(tmp_path / "f") == 1
    out = capsys.readouterr().out
    assert out.startswith("bench-report: ")
    assert expected in out
    assert out.count("\n") == 1


def test_what_is_written_can_be_read(report: Any, tmp_path: Path) -> None:
    """A benchmark writes the form that the page is made of."""
    form = import_module("figures")
    found = form.Figures("x", "X", "About.", "python x.py", form.versions("pytest", "no-such"))
    assert found.add("a", "b", 1.23456, at_most=2)
    assert not found.add("a", "c", 3, "s", at_most=2)
    found.add_curve("x", "sessions", "CPU seconds", [(10, 2.0), (1, 1.0)])
    found.write(tmp_path)
    again = form.read(tmp_path / "x.json")
    assert [each.value for each in again.figures] == [1.235, 3.0]
    assert set(again.peers) == {"pytest"}
    assert list(report.curves_of([again])[0].points) == [[1, 1.0], [10, 2.0]]
