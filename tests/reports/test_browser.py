"""The page in headless Chromium: accessible by axe-core, light and dark, at three widths.

`make browser` fetches axe-core; without Chromium or without it these tests are skipped. The page
allows no script, so axe runs in a copy without its content security policy.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recon_core.reports.formats import FORMATS
from recon_core.reports.run_report import RunReport, TrendRun

from . import runs
from .test_hostile import HOSTILE, hostile
from .test_waived import half

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
AXE = Path(os.environ.get("RECON_AXE", "axe.min.js"))
pytestmark = pytest.mark.skipif(
    CHROMIUM is None or not AXE.is_file(), reason="needs Chromium and axe-core: make browser"
)
_CSP = re.compile(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>")
_RUN = """
axe.run(document, {resultTypes: ["violations"]}).then(result => {
  const found = result.violations.map(one => [one.id, one.nodes[0].html.slice(0, 200)]);
  document.documentElement.setAttribute("data-axe", JSON.stringify(found));
  document.documentElement.setAttribute("data-wide", String(document.documentElement.scrollWidth));
});
"""


@cache
def pages() -> dict[str, str]:
    """Pages by what they show."""
    run = runs.examples()
    trend = tuple(
        TrendRun(f"2026-01-0{day}T00:00:00Z", {"FAIL": day, "WARN": 3, "INFO": 1})
        for day in range(1, 9)
    )
    made: dict[str, RunReport] = {
        "blocked": replace(run, trend=trend),
        "incomplete": replace(run, verdict="INCOMPLETE", problems=("a file is missing",)),
        "clear": replace(run, verdict="CLEAR", sessions=()),
        "waived": replace(half(), trend=trend[:2]),
        "hostile": hostile(HOSTILE["html block"]),
        "long names": hostile("x" * 3000),
    }
    return {name: FORMATS["html"].render(each) for name, each in made.items()}


def looked_at(page: str, directory: Path, width: int, scheme: str) -> tuple[Any, int]:
    """The violations that axe finds, and how wide the page is in a window of `width`."""
    script = f"<script>{AXE.read_text(encoding='utf-8')}</script><script>{_RUN}</script></body>"
    path = directory / "page.html"
    copy = _CSP.sub("", page)
    path.write_text(copy.replace("</body>", script), encoding="utf-8")
    assert CHROMIUM is not None
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={directory / 'profile'}",
            f"--window-size={width},1200",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    root = done.stdout.partition("<head")[0]
    found = re.search(r'data-axe="([^"]*)"', root)
    wide = re.search(r'data-wide="([0-9]+)"', root)
    assert found is not None, "axe did not run"
    assert wide is not None
    return json.loads(found[1].replace("&quot;", '"').replace("&amp;", "&")), int(wide[1])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["blocked", "incomplete", "clear", "waived", "hostile", "long names"]
)
def test_axe_finds_nothing(tmp_path: Path, name: str, scheme: str) -> None:
    """Contrast, names of regions, order of headings, tables."""
    assert looked_at(pages()[name], tmp_path, 1280, scheme)[0] == []


@pytest.mark.parametrize("width", [500, 800, 1280])
@pytest.mark.parametrize("name", ["blocked", "waived", "long names"])
def test_only_tables_scroll_sideways(tmp_path: Path, name: str, width: int) -> None:
    """The page is as wide as its window; 500 pixels is the narrowest of Chromium."""
    assert looked_at(pages()[name], tmp_path, width, "light") == ([], width)
