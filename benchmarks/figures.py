"""Figures of a benchmark as JSON, in one form for all: `recon.benchmark/1`, see README.md.

A benchmark that is asked for it by `--json DIRECTORY` writes one file there, called as the
benchmark is. `report.py` makes the page from these files.
"""

import argparse
import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeVar

SCHEMA: Final = "recon.benchmark/1"
UNITS: Final = {
    "s": "CPU seconds",
    "ms": "CPU milliseconds",
    "wall s": "wall clock seconds",
    "MiB": "MiB",
    "KiB": "KiB",
    "times": "",
    "count": "",
}
"""Units of figures, with the words of the page."""

_Part = TypeVar("_Part")


class FiguresError(ValueError):
    """A file that is not in the form of `recon.benchmark/1`."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value: a row (`case`) and a column (`measure`) of the benchmark's table.

    A figure with `at_most` or `at_least` is a target, and its history is kept.
    """

    case: str
    measure: str
    value: float
    unit: str = "times"
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_target(self) -> bool:
        """True if there is a bound on the value."""
        return self.at_most is not None or self.at_least is not None

    @property
    def met(self) -> bool:
        """True if the value is within its bounds."""
        too_much = self.at_most is not None and self.value > self.at_most
        return not too_much and not (self.at_least is not None and self.value < self.at_least)


@dataclass(frozen=True, slots=True)
class Curve:
    """A measured curve: wall clock or CPU seconds (`y`) by a number of something (`x`)."""

    name: str
    x: str
    y: str
    points: tuple[tuple[float, float], ...]


def this_machine() -> dict[str, str]:
    """Return what the figures depend on besides the code; nothing that names a machine."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


@dataclass(slots=True)
class Figures:
    """Everything that one run of a benchmark found."""

    benchmark: str
    title: str
    about: str
    command: str
    peers: Mapping[str, str] = field(default_factory=dict)
    figures: list[Figure] = field(default_factory=list)
    curves: list[Curve] = field(default_factory=list)
    date: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%d}")
    release: str = field(default_factory=lambda: version("pytest-recon"))
    machine: Mapping[str, str] = field(default_factory=this_machine)

    def add(self, case: str, measure: str, value: float, unit: str = "times", **bound: Any) -> bool:
        """Add a figure, with `at_most` or `at_least`; returns False where it misses that."""
        figure = Figure(case, measure, float(f"{value:.4g}"), unit, **bound)
        self.figures.append(figure)
        return figure.met

    def add_curve(self, name: str, x: str, y: str, points: Iterable[tuple[float, float]]) -> None:
        """Add a curve of points in the order of `x`."""
        rounded = ((at, float(f"{value:.4g}")) for at, value in sorted(points))
        self.curves.append(Curve(name, x, y, tuple(rounded)))

    def write(self, directory: Path | None) -> None:
        """Write the file of this benchmark; without a directory nothing is written."""
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            text = json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1)
            (directory / f"{self.benchmark}.json").write_text(f"{text}\n", encoding="utf-8")


def versions(*packages: str) -> dict[str, str]:
    """Return the versions of those packages that are installed here."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add `--json DIRECTORY` to the options of a benchmark."""
    parser.add_argument("--json", type=Path, metavar="DIRECTORY", help="write the figures there")


def read(path: Path) -> Figures:
    """Read the figures of a benchmark; raises `FiguresError` with the file and the field."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FiguresError(f"{path.name}: is not JSON: {error}") from None
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise FiguresError(f"{path.name}: schema: expected {SCHEMA!r}")
    figures = [_part(Figure, each, f"{path.name}: figures") for each in document.get("figures", [])]
    curves = [_part(Curve, each, f"{path.name}: curves") for each in document.get("curves", [])]
    found = _part(Figures, {**document, "figures": figures, "curves": curves}, path.name)
    for figure in figures:
        if figure.unit not in UNITS or not isinstance(figure.value, int | float):
            raise FiguresError(f"{path.name}: {figure.case}: {figure.measure}: value or unit")
    return found


def _part(kind: type[_Part], table: Any, where: str) -> _Part:
    known = {each.name for each in fields(kind)}  # type: ignore[arg-type]  # dataclasses all
    if not isinstance(table, dict) or not known.issuperset(table):
        raise FiguresError(f"{where}: expected an object of {', '.join(sorted(known))}")
    try:
        return kind(**table)
    except TypeError as error:
        raise FiguresError(f"{where}: {error}") from None
