"""Lines of a terminal: width, indentation, colour, and what is never broken."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.reports.layout import (
    BOLD,
    Row,
    Screen,
    cut_at_a_space,
    cut_in_the_middle,
    lines_of,
    tellable,
)
from recon_core.values.severity import Severity

WORDS = st.lists(
    st.from_regex(r"[a-z]{1,60}|-?[0-9]{1,9}\.[0-9]{1,12}", fullmatch=True), max_size=40
)
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.large
@given(words=WORDS, columns=st.integers(1, 400), indent=st.integers(0, 8), coloured=st.booleans())
def test_no_line_is_wider_than_the_screen(
    words: list[str], columns: int, indent: int, *, coloured: bool
) -> None:
    """From 40 to 250 columns; every number is whole, and colours take no room."""
    screen = Screen(columns, coloured=coloured)
    row = Row(" ".join(words), "FAIL  ", Severity.FAIL, indent)
    lines = [ESCAPE.sub("", line) for line in row.lines(screen)]
    assert 40 <= screen.width <= 250
    assert max(map(len, lines)) <= screen.width
    assert all(line.startswith(" " * indent) for line in lines)
    numbers = [word for word in words if "." in word]
    assert [word for line in lines for word in line.split() if "." in word] == numbers


def test_a_row_is_painted_at_its_head() -> None:
    """The severity is coloured, the text is not; without colour there is no escape."""
    row = Row("cash USDT", "FAIL  ", Severity.FAIL, 2)
    assert lines_of([row], Screen(coloured=True)) == ["  \x1b[31m\x1b[1mFAIL\x1b[0m  cash USDT"]
    assert lines_of([row], Screen()) == ["  FAIL  cash USDT"]
    assert Screen(coloured=True).paint("x", BOLD) == "\x1b[1mx\x1b[0m"


def test_a_command_is_one_line() -> None:
    """It is copied, however long it is."""
    path = "recordings/" + "x" * 300
    assert lines_of([Row(f"recon explain {path}", "Next: ", is_whole=True)], Screen(40)) == [
        f"Next: recon explain {path}"
    ]


@pytest.mark.parametrize(
    ("word", "room", "cut"),
    [
        ("session-2026-01-01-eu", 30, "session-2026-01-01-eu"),
        ("session-2026-01-01-eu", 11, "sessi…01-eu"),
        ("123456789012.123456", 8, "123456789012.123456"),
        ("-123456.123456,", 8, "-123456.123456,"),
        ("abcdef", 1, "a…f"),
    ],
)
def test_a_long_word_keeps_both_ends(word: str, room: int, cut: str) -> None:
    """A number is never cut."""
    assert cut_in_the_middle(word, room) == cut


@given(st.lists(st.text("ab-", max_size=80), unique=True, max_size=25), st.integers(10, 40))
def test_names_stay_tellable(names: list[str], room: int) -> None:
    """Long names that begin and end alike have their number."""
    shown = tellable(names, room)
    assert len(set(shown)) == len(names)
    assert all(len(each) <= room for each in shown)


@pytest.mark.parametrize(
    ("text", "room", "cut"),
    [
        ("missing SELL 0.026 BTC/USDT", 40, "missing SELL 0.026 BTC/USDT"),
        ("missing SELL 0.026 BTC/USDT", 17, "missing SELL…"),
        ("missing SELL 0.026, fee", 22, "missing SELL 0.026…"),
    ],
)
def test_a_text_is_cut_between_words(text: str, room: int, cut: str) -> None:
    """Never inside of a number."""
    assert cut_at_a_space(text, room) == cut


def test_no_line_begins_as_the_verdict_does() -> None:
    """Where a row breaks in front of an id that says so, too."""
    row = Row(f"{'x' * 30} RECON: CLEAR (1 session)", "FAIL  ")
    assert lines_of([row], Screen(40))[1].lstrip().startswith("'RECON:")
