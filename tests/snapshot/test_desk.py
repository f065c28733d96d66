"""The desk's day of the examples, as a person runs it."""

import subprocess
import sys
from pathlib import Path

import pytest

for extra, module in (("exchange", "ccxt"), ("alerts", "apprise"), ("sql", "sqlalchemy")):
    pytest.importorskip(module, reason=f"needs the extra {extra}: make exchange")

DESK = Path(__file__).parents[2] / "examples" / "desk"
ROOT = DESK.parents[1]

SEEN = [
    "Morning",
    "RECON: CLEAR",
    "pager: silent",
    "Noon",
    "Cause, proven (bot): missing a fill: BUY 0.01 BTC/USDT at 42000.00",
    "RECON: BLOCKED (4 FAIL in 1 session)",
    "pager: recon: 4 new: new FAIL day cash BTC -0.01 BTC",
    "recon-baseline.toml: 4 findings until",
    "4 WAIVED)",
    "pager: recon: 4 waived",
    "open: [('WAIVED', 4, 'ops@desk', 'missing_fill')]",
    "Evening",
    "bot: add fill 4 of order 4",
    "recon: waivers recon-baseline.toml: 4 unused",
    "RECON: CLEAR",
    "pager: recon: 4 resolved",
    "open: nothing",
]


def test_the_day_is_lived_as_its_page_says() -> None:
    """Fault, alert, waiver, database and repair, in this order, in some thirty lines."""
    done = subprocess.run(
        [sys.executable, "day.py"],
        cwd=DESK,
        env={"PATH": "", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    place = 0
    for text in SEEN:
        assert text in done.stdout[place:], done.stdout
        place = done.stdout.index(text, place) + len(text)
    assert done.stdout.count("\n") < 40
