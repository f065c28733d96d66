"""A picture of curves: both axes by powers of ten, readable on a light page and on a dark one."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from figures import Curve

WIDTH, HEIGHT = 760, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 150, 24, 56
_LIGHT: Final = ("#0969da", "#bc4c00", "#1a7f37", "#8250df", "#cf222e", "#57606a")
_DARK: Final = ("#58a6ff", "#f0883e", "#56d364", "#d2a8ff", "#ff7b72", "#b1bac4")
"""Colours of the curves, each with a contrast of 4.5 at least on its ground."""
_APART: Final = 15
"""Points between two names at the right end."""
_STYLE: Final = """\
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.ground { fill: #ffffff; } .grid { stroke: #d1d9e0; } .curve { fill: none; stroke-width: 2; }
"""
_STYLE_DARK: Final = """\
text { fill: #e6edf3; } .ground { fill: #161b22; } .grid { stroke: #30363d; }
"""


def chart(curves: Sequence[Curve]) -> str:
    """Return the curves as SVG, each with its name at its end; the colours follow the reader."""
    axes = _Axes(curves)
    parts = [*axes.lines(), *_curves(curves, axes)]
    names = f"{axes.y_name} by the number of {axes.x_name}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">\n'
        f"<title>{escape(names)}</title>\n<style>\n{_STYLE}{_colours(_LIGHT)}"
        f"@media (prefers-color-scheme: dark) {{\n{_STYLE_DARK}{_colours(_DARK)}}}\n</style>\n"
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="8"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _colours(colours: Sequence[str]) -> str:
    return "".join(
        f".c{number} {{ stroke: {colour}; }} .n{number} {{ fill: {colour}; }}\n"
        for number, colour in enumerate(colours)
    )


class _Axes:
    """The places of values, and the lines of whole powers of ten."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        across = [x for curve in curves for x, _ in curve.points] or [1]
        up = [y for curve in curves for _, y in curve.points] or [1]
        self.x_name = curves[0].x if curves else ""
        self.y_name = curves[0].y if curves else ""
        self._x, self._y = _powers(across), _powers(up)

    def x(self, value: float) -> float:
        """Return the place of a value from left to right."""
        return _LEFT + _share(value, self._x) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Return the place of a value from top to bottom."""
        return HEIGHT - _BOTTOM - _share(value, self._y) * (HEIGHT - _TOP - _BOTTOM)

    def lines(self) -> Iterator[str]:
        """Yield the grid with its figures and the names of the axes."""
        right, low = WIDTH - _RIGHT, HEIGHT - _BOTTOM
        for power in range(self._x[0], self._x[1] + 1):
            at = self.x(10.0**power)
            yield f'<path class="grid" d="M{at:.1f} {_TOP}V{low}"/>'
            yield _label(at, low + 18, "middle", _figure(power))
        for power in range(self._y[0], self._y[1] + 1):
            at = self.y(10.0**power)
            yield f'<path class="grid" d="M{_LEFT} {at:.1f}H{right}"/>'
            yield _label(_LEFT - 8, at + 4, "end", _figure(power))
        yield _label((_LEFT + right) / 2, HEIGHT - 14, "middle", self.x_name)
        middle = (_TOP + low) / 2
        turned = _label(18, middle, "middle", self.y_name)
        yield f'<g transform="rotate(-90 18 {middle})">{turned}</g>'


def _label(x: float, y: float, anchor: str, text: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _powers(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _share(value: float, powers: tuple[int, int]) -> float:
    return (math.log10(value) - powers[0]) / (powers[1] - powers[0])


def _figure(power: int) -> str:
    return f"{10**power:,}" if power >= 0 else f"{10.0**power:.{-power}f}"


def _curves(curves: Sequence[Curve], axes: _Axes) -> Iterator[str]:
    """Yield each curve; names that would overlap are moved down."""
    last = -math.inf
    ends = sorted(enumerate(curves), key=lambda each: axes.y(each[1].points[-1][1]))
    for number, curve in ends:
        colour = number % len(_LIGHT)
        points = [(axes.x(x), axes.y(y)) for x, y in curve.points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        yield f'<path class="curve c{colour}" d="M{path}"/>'
        for x, y in points:
            yield f'<circle class="n{colour}" cx="{x:.1f}" cy="{y:.1f}" r="3"/>'
        last = max(points[-1][1] + 4, last + _APART)
        name = escape(curve.name)
        yield f'<text class="n{colour}" x="{points[-1][0] + 10:.1f}" y="{last:.1f}">{name}</text>'
