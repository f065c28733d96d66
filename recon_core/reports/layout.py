"""Lines of a terminal: wrapped at spaces to its width, indented, in the colours of severities.

Text is laid out without colour and painted afterwards, so that a width counts characters and no
escape sequences. Nothing breaks inside a number: lines break at spaces alone.
"""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from click import style

from recon_core.values.severity import Severity

NARROWEST: Final = 40
"""Columns below which lines are laid out as for these: a table would have no room for words."""
WIDEST: Final = 250
"""Columns above which nothing more fits a glance."""
_HANG: Final = 4
"""Columns by which the second line of a row is indented."""

BOLD: Final = "bold"
GOOD: Final = "good"
DIM: Final = "dim"
_STYLES: Final[Mapping[str, Mapping[str, Any]]] = {
    Severity.CRITICAL: {"fg": "magenta", "bold": True},
    Severity.FAIL: {"fg": "red", "bold": True},
    Severity.WARN: {"fg": "yellow"},
    Severity.INFO: {"fg": "cyan"},
    BOLD: {"bold": True},
    GOOD: {"fg": "green", "bold": True},
    DIM: {"dim": True},
}

_VERDICT: Final = "RECON:"
"""The begin of the last line of a run, which no other line has."""

_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?[,;)%]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal that a text is for: its columns, and True if it shows colours."""

    columns: int = 80
    coloured: bool = False

    @property
    def width(self) -> int:
        """The columns that lines may have."""
        return min(max(self.columns, NARROWEST), WIDEST)

    def paint(self, text: str, name: str) -> str:
        """Return a text in a style: of a severity, `BOLD`, `GOOD` or `DIM`."""
        return style(text, **_STYLES[name]) if self.coloured and name in _STYLES else text


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a head in a style, the text after it, and its indentation.

    A row that `is_whole` is never wrapped nor cut: a command that a reader copies.
    """

    text: str
    head: str = ""
    style: str = ""
    indent: int = 0
    is_whole: bool = False

    def lines(self, screen: Screen) -> Iterator[str]:
        """Yield the lines of the row on a screen."""
        margin, whole = " " * self.indent, f"{self.head}{self.text}".rstrip()
        if self.is_whole or not whole:
            wrapped = [f"{margin}{whole}".rstrip()]
        else:
            room = screen.width - self.indent - _HANG
            wrapped = textwrap.wrap(
                " ".join(cut_in_the_middle(word, room) for word in whole.split(" ")),
                screen.width,
                initial_indent=margin,
                subsequent_indent=margin + " " * _HANG,
                break_long_words=False,
                break_on_hyphens=False,
            )
        for place, line in enumerate(map(_no_verdict, wrapped)):
            head = f"{margin}{self.head.rstrip()}"
            is_painted = not place and self.style and self.head and line.startswith(head)
            painted = screen.paint(self.head.rstrip(), self.style)
            yield f"{margin}{painted}{line[len(head) :]}" if is_painted else line


def _no_verdict(line: str) -> str:
    """Return a line that does not begin as the verdict does, whatever an id says."""
    return line.replace(_VERDICT, f"'{_VERDICT}", 1) if line.lstrip().startswith(_VERDICT) else line


def lines_of(rows: Iterable[Row], screen: Screen) -> list[str]:
    """Return the lines of rows on a screen."""
    return [line for row in rows for line in row.lines(screen)]


def cut_in_the_middle(word: str, room: int) -> str:
    """Return a word with an ellipsis in its middle if it is longer than the room; never a number.

    An id differs from its neighbours at its end as often as at its begin.
    """
    if len(word) <= room or _NUMBER.fullmatch(word):
        return word
    kept = max(room - 1, 2)
    end = kept // 2
    return f"{word[: kept - end]}…{word[-end:]}"


def cut_at_a_space(text: str, room: int) -> str:
    """Return the beginning of a text, cut between two words and ended by an ellipsis."""
    if len(text) <= room:
        return text
    begin = text[: max(room - 1, 1)].rpartition(" ")[0].rstrip(",;: ")
    return f"{begin}…" if begin else cut_in_the_middle(text, room)


def tellable(names: Sequence[str], room: int) -> list[str]:
    """Return names cut to the room, those that would be equal with their number in the list."""
    cut = [cut_in_the_middle(name, room) for name in names]
    return [
        one if cut.count(one) == 1 else f"{cut_in_the_middle(name, room - 5)} #{place}"
        for place, (name, one) in enumerate(zip(names, cut, strict=True), 1)
    ]
