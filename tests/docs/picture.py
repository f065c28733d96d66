"""The picture in the README: the end of what `make demo` prints, as an SVG.

`python -m tests.docs.picture` writes it. It needs no font and makes no request: the background is
its own, so that it is readable on a light page and on a dark one.
"""

import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT: Final = Path(__file__).parents[2]
PICTURE: Final = ROOT / "docs" / "demo.svg"
WIDTH: Final = 84
"""Columns: those of the longest line of the demo."""
_BEGIN: Final = "$ pytest -q --recon-session=explain/lost_fill"
_ESCAPES: Final = re.compile(r"\x1b\[[0-9;]*m")
_LEFT_OUT: Final = re.compile(r' clip-path="[^"]+"|<text [^>]+>\n</text>')
"""Clips that this form does not define, and line breaks that nobody sees."""
_SECONDS: Final = re.compile(r"in [0-9.]+s")
_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"

_THEME: Final = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65),
        (121, 192, 255), (210, 168, 255), (86, 212, 221), (230, 237, 243),
    ],
)  # fmt: skip
"""Colours on a dark ground, each with a contrast of 4.5 at least."""

_FORMAT: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<title>make demo</title>
<style>
text {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
font-size: {char_height}px; white-space: pre; }}
{styles}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#161b22"/>
<g transform="translate({terminal_x}, 16)">
{matrix}
</g>
</svg>
"""


def end_of(output: str) -> str:
    """Return the part of an output of the demo that the picture shows."""
    return output[output.index(_BEGIN) :].strip()


def plain(text: str) -> list[str]:
    """Return the lines of a text without colours and times, which differ from run to run."""
    lines = _SECONDS.sub("in 0.1s", _ESCAPES.sub("", text)).splitlines()
    return [line.rstrip() for line in lines]


def shown(picture: str) -> list[str]:
    """Return the lines that a picture shows."""
    rows: dict[float, dict[float, str]] = {}
    for element in ET.fromstring(picture).iter(f"{_NAMESPACE}text"):  # noqa: S314  # our own
        place = float(element.get("x", "0")), float(element.get("y", "0"))
        rows.setdefault(place[1], {})[place[0]] = (element.text or "").replace("\xa0", " ")
    tops = sorted(rows)
    height = min((low - high for high, low in pairwise(tops)), default=1)
    lines = [""] * (round((tops[-1] - tops[0]) / height) + 1)
    for top, parts in rows.items():
        line = ""
        for left in sorted(parts):
            line = line.ljust(round(left / _CHARACTER)) + parts[left]
        lines[round((top - tops[0]) / height)] = line.rstrip()
    return lines


_CHARACTER: Final = 12.2
"""Width of a character in the units of the picture, as rich has it."""


def picture_of(output: str) -> str:
    """Return the picture of an output with colours."""
    console = Console(
        record=True,
        width=WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="standard",
        highlight=False,
    )
    console.print(Text.from_ansi(_SECONDS.sub("in 0.1s", end_of(output))))
    drawn = console.export_svg(theme=_THEME, code_format=_FORMAT, unique_id="demo")
    return _LEFT_OUT.sub("", drawn)


def main() -> None:
    """Write the picture of today's output."""
    binaries = Path(sys.executable).parent
    given = {"PYTEST": f"{binaries}/pytest", "RECON": f"{binaries}/recon", "COLOR": "yes"}
    result = subprocess.run(
        ["sh", str(ROOT / "examples" / "demo.sh")],
        env={**os.environ, **given, "COLUMNS": str(WIDTH)},
        capture_output=True,
        text=True,
        check=True,
    )
    PICTURE.write_text(picture_of(result.stdout), encoding="utf-8")


if __name__ == "__main__":
    main()
