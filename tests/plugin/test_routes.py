"""No route to a run with a FAIL ends 0 or leaves a green report, but announced acts.

A sample by default; `make soak` takes all, and `make routes` all with the plugins that
some of them load, which are in an environment of its own.
"""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

import pytest

from recon_core.reports.outputs import named_value
from tests.warm import warm_python

from .conftest import PLAIN, PYTESTS_PROTOCOL, write_blocked, write_clear, write_waivers
from .routes import ROUTES, End, Route

PLUGINS: Final = os.environ.get("RECON_ROUTES_PYTHON", sys.executable)
"""The interpreter of the routes that load plugins, which another one may have."""

EVERY: Final = 1 if os.environ.get("RECON_TEST_SIZE") == "soak" else 25
"""One route of so many runs by default: each starts a process or three."""

OWN, SUITES = "items.xml", "sessions.xml"
EARLIER = '<?xml version="1.0" ?>\n<testsuites><testsuite name="desk" /></testsuites>\n'


TAKEN: Final = [
    (route, is_light)
    for at, route in enumerate(ROUTES[::EVERY])
    for is_light in ((True, False) if EVERY == 1 else (at % 2 == 0,))
]
"""Routes, by our own protocol or by that of pytest: all by both, a sample by turns."""


def command(route: Route, *, is_light: bool) -> str:
    """The command line of a route, for a shell."""
    python = PLUGINS if route.modules else warm_python()
    if route.check:
        words = [python, *route.python, "-m", "recon_core.cli", "check", "s", f"--junit={SUITES}"]
    else:
        alone = ("-p", "pytest_recon.plugin") if route.modules else ()
        loaded = [word for module in (*alone[1:], *route.modules) for word in ("-p", module)]
        words = [python, *route.python, "-m", "pytest", "-q", *PLAIN, *loaded]
        words += [] if is_light else [PYTESTS_PROTOCOL]
        words += ["--recon-session=s", f"--recon-junit={SUITES}", f"--junitxml={OWN}"]
    return f"{route.before}\n{shlex.join([*words, *route.words])} {route.after}"


def take(route: Route, directory: Path, *, is_light: bool) -> tuple[int, str]:
    """Run a route in a directory that is made for it; its status and all its output."""
    write_clear(directory / "s" / "clear.recon.json")
    write_blocked(directory / "s" / "blocked.recon.json")
    # One of its FAILs is waived, and no route may make that of the other one.
    write_waivers(directory, "position::ETH/EUR", session="blocked")
    for name in (OWN, SUITES):
        (directory / name).write_text(EARLIER, encoding="utf-8")
    (directory / "pytest.ini").write_text(f"[pytest]\n{route.ini}", encoding="utf-8")
    (directory / "words.txt").write_text("--co\n", encoding="utf-8")
    for name, text in {"conftest.py": route.conftest, **route.files}.items():
        (directory / name).write_text(text, encoding="utf-8")
    if route.prepare is not None:
        route.prepare(directory)
    kept = ("PYTEST_", "PYTHONWARN", "COV_", "RECON_")
    environment = {name: text for name, text in os.environ.items() if not name.startswith(kept)}
    if route.modules:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    ended = subprocess.run(
        ["bash", "-c", command(route, is_light=is_light)],
        cwd=directory,
        env={**environment, **route.environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=240,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def green_reports(route: Route, directory: Path) -> list[str]:
    """The reports that hold no failing case; one that cannot be read is not green."""
    found = []
    given = [f"--recon-junit={SUITES}", f"--junitxml={OWN}", *route.words]
    # Of an option that is given twice the last one counts.
    named = [named_value(given, option) for option in ("--recon-junit", "--junitxml")]
    for name in (SUITES,) if route.check else map(str, named):
        try:
            root = ET.parse(directory / name).getroot()  # noqa: S314  # written by the run
        except (OSError, ET.ParseError):
            continue
        if root.find(".//failure") is None and root.find(".//error") is None:
            found.append(name)
    return found


def is_installed(module: str) -> bool:
    """True if the interpreter of the routes has a plugin."""
    if sys.executable == PLUGINS:
        return importlib.util.find_spec(module.partition(".")[0]) is not None
    asked = f"import {module}"
    return subprocess.run([PLUGINS, "-c", asked], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("route", "is_light"),
    TAKEN,
    ids=[f"{route.end}: {route.name}{'' if light else ' by phases'}" for route, light in TAKEN],
)
def test_no_route_is_green_in_silence(route: Route, *, is_light: bool, tmp_path: Path) -> None:
    """Each route ends as its table says."""
    for module in route.modules:
        if not is_installed(module):
            pytest.skip(f"{module} is not installed; make routes installs it")
    status, output = take(route, tmp_path, is_light=is_light)
    green = green_reports(route, tmp_path)
    if route.end is End.ANNOUNCED:
        assert re.search(route.announced, output), output[-2000:]
        assert not (green and route.announced.startswith("RECON: "))
    elif route.end is End.NOT_HELD:
        assert "RECON: CLEAR" not in output
    elif route.end is End.REFUSED_FIRST:
        assert status != 0
        assert "RECON: CLEAR" not in output
    else:
        assert (status != 0, green) == (True, []), output[-2000:]


def test_every_route_has_a_name_of_its_own() -> None:
    """A route is found by its name."""
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)


def test_acts_are_few() -> None:
    """An end that is not red is a decision; another one is seen here first."""
    ends = [route.end for route in ROUTES]
    assert {end: ends.count(end) for end in End if end is not End.RED} == {
        End.ANNOUNCED: 11,
        End.REFUSED_FIRST: 8,
        End.NOT_HELD: 5,
    }
