"""Builders of recorded sessions, ready-made ones, and how these tests run pytest."""

import json
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.matrices import sample
from tests.warm import warm_python, warm_workers

AS_OF = "2026-01-01T12:00:00Z"
POSITIONS = {"BTC/EUR": "0.1", "ETH/EUR": "2"}
CASH = {"EUR": "5000.00"}

T = TypeVar("T")
Section = Mapping[str, str] | list[dict[str, Any]] | None

CLEAR_COMPARISONS = 7
"""What `clear_session` promises: two positions, one balance, four session checks."""
CLEAR_LINE = "RECON: CLEAR (1 session, 7 comparisons)"
WARN_LINE = "RECON: CLEAR (1 session, 7 comparisons, 1 WARN)"
BLOCKED_COMPARISONS = 8
"""What `blocked_session` promises: three positions, one balance, four session checks."""
BLOCKED_LINE = "RECON: BLOCKED (2 FAIL, 1 WARN in 1 session)"
HALF_WAIVED_LINE = "RECON: BLOCKED (1 FAIL, 1 WARN, 1 WAIVED in 1 session)"
WAIVED_LINE = "RECON: CLEAR (1 session, 8 comparisons, 1 WARN, 2 WAIVED)"


def side_document(positions: Section = None, cash: Section = None, **more: Any) -> dict[str, Any]:
    """One side of a session; a section that is `None` is left out (not reported)."""
    sections = {"as_of": AS_OF, "positions": positions, "cash": cash, **more}
    return {name: value for name, value in sections.items() if value is not None}


def session_document(
    session_id: str = "session",
    *,
    positions: Section = POSITIONS,
    cash: Section = CASH,
    external_positions: Section | str = "same",
    external_cash: Section | str = "same",
    **overrides: Any,
) -> dict[str, Any]:
    """A valid `recon.session/1`; both sides equal where nothing else is said.

    `positions` and `cash` are the internal side's, and the external side's too
    unless that is given; `None` leaves a section out. `overrides` replace keys of
    the document (`external={"mirror": "internal"}`), and `None` leaves one out.
    """
    document = {
        "schema": "recon.session/1",
        "session_id": session_id,
        "strategy_id": "ma_crossover",
        "mode": "SIM",
        "internal": side_document(positions, cash, source="ledger"),
        "external": side_document(
            positions if external_positions == "same" else external_positions,
            cash if external_cash == "same" else external_cash,
            source="exchange",
        ),
        **overrides,
    }
    return {name: value for name, value in document.items() if value is not None}


def write_session(path: Path, **overrides: Any) -> Path:
    """Write a session file and return its path; the session id is the file's stem.

    Missing directories are made; `overrides` as in `session_document`.
    """
    overrides.setdefault("session_id", path.name.removesuffix(".json").removesuffix(".recon"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(session_document(**overrides), indent=2), encoding="utf-8")
    return path


def write_clear(path: Path) -> Path:
    """Two positions and one currency, all equal: 7 comparisons, `RECON: CLEAR`."""
    return write_session(path)


def write_blocked(path: Path) -> Path:
    """One WARN, one FAIL and one equal position, and a cash FAIL: 8 comparisons."""
    return write_session(
        path,
        positions={"BTC/EUR": "0.1", "ETH/EUR": "1.0", "SOL/EUR": "10"},
        external_positions={"BTC/EUR": "0.0995", "ETH/EUR": "0.95", "SOL/EUR": "10"},
        external_cash={"EUR": "4995.00"},
    )


def write_waivers(directory: Path, *items: str, session: str = "*", days: int = 30) -> Path:
    """`recon-waivers.toml` with a waiver for each `kind::key`, up to 5, for so many days."""
    expires = datetime.now(UTC).date() + timedelta(days=days)
    rows = [
        f'[[waiver]]\nid = "w{number}"\nsession = "{session}"\nitem = "{item}"\n'
        f'max_amount = "5"\nowner = "ops@desk"\nreason = "ticket 812"\nexpires = {expires}\n'
        for number, item in enumerate(items, 1)
    ]
    path = directory / "recon-waivers.toml"
    path.write_text("".join(rows), encoding="utf-8")
    return path


def write_half_waived(path: Path) -> Path:
    """`write_blocked`, one of whose two FAILs is waived: `RECON: BLOCKED` by the other one."""
    write_waivers(path.parent, "position::ETH/EUR")
    return write_blocked(path)


def write_waived(path: Path) -> Path:
    """`write_blocked`, both of whose FAILs are waived: 8 comparisons, `RECON: CLEAR`."""
    write_waivers(path.parent, "position::ETH/EUR", "cash::*")
    return write_blocked(path)


def write_warn(path: Path) -> Path:
    """One WARN position (0.1 against 0.0995), all else equal: 7 comparisons."""
    return write_session(path, external_positions={"BTC/EUR": "0.0995", "ETH/EUR": "2"})


@pytest.fixture
def clear_session(pytester: pytest.Pytester) -> Path:
    """`clear.recon.json` in pytester's directory; see `write_clear`."""
    return write_clear(pytester.path / "clear.recon.json")


@pytest.fixture
def blocked_session(pytester: pytest.Pytester) -> Path:
    """`blocked.recon.json` in pytester's directory; see `write_blocked`."""
    return write_blocked(pytester.path / "blocked.recon.json")


@pytest.fixture
def warn_session(pytester: pytest.Pytester) -> Path:
    """`warn.recon.json` in pytester's directory; see `write_warn`."""
    return write_warn(pytester.path / "warn.recon.json")


PLAIN = ("-p", "no:randomly", "-p", "no:hypothesispytest")
"""No reordering; and hypothesis, which a process of its own would import only to say nothing."""

PYTESTS_PROTOCOL = "--override-ini=recon_light_items=false"
"""The option by which every comparison takes the three phases of pytest."""


def run_pytest(
    pytester: pytest.Pytester, *arguments: str | Path, subprocess: bool = False, cache: bool = False
) -> pytest.RunResult:
    """Run pytest as `PLAIN`, and without a cache where `cache` is not asked for.

    In this process unless `subprocess`, with workers and then itself by `tests.warm`; under
    Python's own warning filters and not under this suite's, which make every warning an error.
    """
    options = [*PLAIN, *(() if cache else ("-p", "no:cacheprovider"))]
    words = [*options, *map(str, arguments)]
    if subprocess:
        return pytester.run(warm_python(), "-m", "pytest", *words, timeout=120)
    with warnings.catch_warnings(record=True), warm_workers():
        warnings.simplefilter("default")
        return pytester.runpytest_inprocess(*words)


def also_on_workers(cases: Sequence[T], every: int = 6) -> list[tuple[T, tuple[str, ...]]]:
    """Each case for a run in one process, and a sample of them for two workers."""
    return [*product(cases, [()]), *product(sample(cases, every), [("-n2",)])]


def final_line(result: pytest.RunResult) -> str:
    """The last line of the output that starts with `RECON:`; empty where there is none.

    Where pytest ends before any output of its own, the line stands on stderr.
    """
    lines = [line for line in result.outlines + result.errlines if line.startswith("RECON:")]
    return lines[-1] if lines else ""


REPORTS_CONFTEST = """
import json

class Reports:
    def __init__(self, config):
        self.config, self.noted = config, []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.noted.append({
                "node_id": report.nodeid,
                "outcome": report.outcome,
                "expected": getattr(report, "wasxfail", None),
                "properties": [list(pair) for pair in report.user_properties],
                "is_text": report.longrepr is None or type(report.longrepr) is str,
                "text": str(report.longrepr or ""),
            })

    def pytest_unconfigure(self):
        with open(self.config.rootpath / "reports.json", "w") as file:
            json.dump(self.noted, file)

def pytest_configure(config):
    # A plugin of its own: a conftest hears only of what lies below it.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reports(config))
"""
"""A conftest that notes the reports of all items as they reach the controlling process."""


def read_reports(pytester: pytest.Pytester) -> dict[str, dict[str, Any]]:
    """The reports that `REPORTS_CONFTEST` noted in the last run, by node id."""
    reports = json.loads((pytester.path / "reports.json").read_text())
    assert len({report["node_id"] for report in reports}) == len(reports), "an item ran twice"
    return {report["node_id"]: report for report in sorted(reports, key=lambda it: it["node_id"])}
