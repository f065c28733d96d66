"""The page of all figures, and the picture of the curves: `make bench-report`.

    python benchmarks/report.py [--figures benchmarks/figures] [--docs docs]

Reads the figures of every release (`figures.py` has their form) and writes `performance.md` and
`scale.svg`, and in `scale.md` the calculation for a night of a million sessions. Nothing is
measured here; the same files give the same bytes.
"""

import argparse
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from chart import chart
from figures import UNITS, Curve, Figure, Figures, FiguresError, read
from night import night

HERE: Final = Path(__file__).parent
_BLOCK: Final = re.compile(
    r"(<!-- made by make bench-report: begin -->\n).*?(<!-- made by make bench-report: end -->)",
    re.DOTALL,
)
_HEAD: Final = """\
# Performance

Made by `make bench-report` from the files in [benchmarks/figures](../benchmarks/figures), which
the [benchmarks](../benchmarks/README.md) wrote; `make bench` measures again. A ratio compares two
things that one run measured by turns, so that it holds on another machine too; seconds belong to
the machine that is named. **Bold** is a target, `missed` one that the figure is beyond. How the
time of many sessions grows is in [scale](scale.md).
"""

Releases = Mapping[str, Sequence[Figures]]
"""The figures of each release, by its version, the latest first."""


def main() -> int:
    """Write the page, the picture and the calculation; 1 where a file is not in the form."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--figures", type=Path, default=HERE / "figures")
    parser.add_argument("--docs", type=Path, default=HERE.parent / "docs")
    options = parser.parse_args()
    try:
        releases = read_releases(options.figures)
    except FiguresError as error:
        print(f"bench-report: {error}")
        return 1
    latest = next(iter(releases.values()))
    scale = options.docs / "scale.md"
    text = scale.read_text(encoding="utf-8")
    (options.docs / "performance.md").write_text(page(releases), encoding="utf-8")
    (options.docs / "scale.svg").write_text(chart(curves_of(latest)), encoding="utf-8")
    scale.write_text(with_block(text, night(latest)), encoding="utf-8")
    return 0


def read_releases(directory: Path) -> Releases:
    """Read all figures; raises `FiguresError` where there are none or one is not in the form."""
    folders = sorted((each for each in directory.glob("*") if each.is_dir()), key=_version)
    releases = {each.name: [read(file) for file in sorted(each.glob("*.json"))] for each in folders}
    found = {name: files for name, files in reversed(releases.items()) if files}
    if not found:
        raise FiguresError(f"{directory.name}: no figures; expected RELEASE/NAME.json")
    return found


def _version(directory: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]+", directory.name))


def curves_of(files: Iterable[Figures]) -> list[Curve]:
    """Return the curves of CPU seconds over a number of sessions."""
    curves = (curve for each in files for curve in each.curves)
    return [curve for curve in curves if (curve.x, curve.y) == ("sessions", "CPU seconds")]


def with_block(text: str, block: str) -> str:
    """Return a document with its made part anew; raises `FiguresError` where it has none."""
    if _BLOCK.search(text) is None:
        raise FiguresError("scale.md: has no part that bench-report makes")
    return _BLOCK.sub(lambda match: f"{match[1]}\n{block}\n{match[2]}", text)


def page(releases: Releases) -> str:
    """Return `performance.md`."""
    release, latest = next(iter(releases.items()))
    parts = [_HEAD, f"## {release}\n", *_targets(latest)]
    titles: dict[str, list[Figures]] = {}
    for each in latest:
        titles.setdefault(each.title, []).append(each)
    for title, files in titles.items():
        parts += [f"### {title}\n", *_section(files)]
    parts += ["## History\n", *_history(releases)]
    return "\n".join(parts).rstrip() + "\n"


def _targets(files: Sequence[Figures]) -> Iterator[str]:
    """Yield how many targets are met, and those that are not."""
    targets = [(each, figure) for each in files for figure in each.figures if figure.is_target]
    missed = [pair for pair in targets if not pair[1].met]
    yield f"{len(targets) - len(missed)} of {len(targets)} targets are met.\n"
    if missed:
        rows = [
            [each.title, figure.case, figure.measure, shown(figure), _bound(figure)]
            for each, figure in missed
        ]
        yield table(["missed", "case", "measure", "value", "target"], rows)


def _section(files: Sequence[Figures]) -> Iterator[str]:
    """Yield the tables of one subject, with what they were measured by."""
    for about in dict.fromkeys(each.about for each in files):
        yield f"{about}\n"
    for each in _joined(files):
        yield from _tables(each)
    for each in files:
        machine = each.machine
        peers = "".join(f", {name} {number}" for name, number in sorted(each.peers.items()))
        yield (
            f"`{each.command}`, {each.date}, {machine.get('system', '')}, "
            f"{machine.get('cores', '?')} cores, load {machine.get('load', '?')}, Python "
            f"{machine.get('python', '?')}{peers}.\n"
        )


def _joined(files: Sequence[Figures]) -> list[list[Figure]]:
    """Join the figures of files that have the same columns, so that they are one table."""
    joined: dict[tuple[tuple[str, str], ...], list[Figure]] = {}
    for each in files:
        columns = tuple(dict.fromkeys((one.measure, one.unit) for one in each.figures))
        joined.setdefault(columns, []).extend(each.figures)
    return list(joined.values())


def _tables(figures: Sequence[Figure]) -> Iterator[str]:
    """Yield one table: cases are rows, measures columns with their units."""
    columns = list(dict.fromkeys((one.measure, one.unit) for one in figures))
    heads = ["", *(f"{name}, {UNITS[unit]}" if UNITS[unit] else name for name, unit in columns)]
    cells = {(one.case, one.measure, one.unit): _cell(one) for one in figures}
    cases = dict.fromkeys(one.case for one in figures)
    yield table(
        heads, [[case, *(cells.get((case, *key), "") for key in columns)] for case in cases]
    )


def _cell(figure: Figure) -> str:
    if not figure.is_target:
        return shown(figure)
    missed = "" if figure.met else ", missed"
    return f"**{shown(figure)}** ({_bound(figure)}{missed})"


def _bound(figure: Figure) -> str:
    most = [] if figure.at_most is None else [f"at most {figure.at_most:g}"]
    least = [] if figure.at_least is None else [f"at least {figure.at_least:g}"]
    return " and ".join([*most, *least])


def shown(figure: Figure) -> str:
    """Return a value in three significant digits, whole numbers in all of theirs."""
    value = figure.value
    if figure.unit == "count" or abs(value) >= 1000:  # noqa: PLR2004  # three digits and more
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _history(releases: Releases) -> Iterator[str]:
    """Yield every target with its value in every release."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for release, files in releases.items():
        for each in files:
            for figure in each.figures:
                if figure.is_target:
                    key = (each.title, figure.case, figure.measure)
                    rows.setdefault(key, {})[release] = _cell(figure)
    heads = ["", "case", "measure", *releases]
    yield table(
        heads, [[*key, *(by.get(name, "") for name in releases)] for key, by in rows.items()]
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, with a line after it."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    raise SystemExit(main())
