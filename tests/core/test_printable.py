"""Text from outside on a terminal and in a CI log: visible, on one line, never obeyed."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recon_core.values.printable import printable, quoted

HOSTILE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
COMMAND = re.compile(r"^\s*::|##\[|##vso\[")

TABLE = [
    ("BTC/EUR", "BTC/EUR"),
    ("", ""),
    ("größe 数量 €", "größe 数量 €"),
    ("😀", "😀"),
    ("a\\nb", "a\\nb"),
    ("\x00", r"\x00"),
    ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
    ("\x9b31m", r"\x9b31m"),
    ("\x7f", r"\x7f"),
    ("a\tb", r"a\x09b"),
    ("a\nb", r"a\x0ab"),
    ("a\r\nb", r"a\x0d\x0ab"),
    ("a\x0bb\x0cc", r"a\x0bb\x0cc"),
    ("a\x85b", r"a\x85b"),
    ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
    ("\u202etxt.exe", r"\u202etxt.exe"),
    ("\u2066x\u2069", r"\u2066x\u2069"),
    ("a\u200bb\u200dc\ufeffd", r"a\u200bb\u200dc\ufeffd"),
    ("\u00adsoft", r"\xadsoft"),
    ("\ud800", r"\ud800"),
    ("\udcff", r"\udcff"),
    ("\ue000", r"\ue000"),
    ("\uffff", r"\uffff"),
    ("\U000e0001tag", r"\U000e0001tag"),
    ("::error::x", r"\x3a:error\x3a:x"),
    ("  ::set-output name=a::b", r"  \x3a:set-output name=a\x3a:b"),
    ("BTC::EUR", r"BTC\x3a:EUR"),
    ("20260102::4f1c-77aa", "20260102::4f1c-77aa"),
    ("20260102::fa7c-77aa::b2", "20260102::fa7c-77aa::b2"),
    ("x1::error::y", r"x1\x3a:error\x3a:y"),
    ("x1::error7::y", r"x1::error7\x3a:y"),
    ("x1 ::4f1c", r"x1 \x3a:4f1c"),
    (":::4", r"\x3a\x3a:4"),
    (":single", ":single"),
    ("##[error]x", r"\x23#[error]x"),
    ("x ##[group]y", r"x \x23#[group]y"),
    ("###[error]", r"#\x23#[error]"),
    ("##vso[task.setvariable]x", r"\x23#vso[task.setvariable]x"),
    ("## heading", "## heading"),
    ("x\n::error::y", r"x\x0a\x3a:error\x3a:y"),
]


@pytest.mark.parametrize(("text", "shown"), TABLE)
def test_what_is_hostile_becomes_visible(text: str, shown: str) -> None:
    """Plain text of any language stays; the rest is shown in Python's notation."""
    assert printable(text) == shown


def test_the_rest_of_a_long_text_is_announced() -> None:
    """Nothing is cut silently, and the limit counts characters of the original."""
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 200 + "… (201 characters)"
    assert printable("\x1b" * 5, limit=2) == r"\x1b\x1b… (5 characters)"


def test_a_cut_text_cannot_hide_a_command() -> None:
    """What is left after the cut is looked at, not what stood there before."""
    assert printable("##[" + "x" * 10, limit=3) == r"\x23#[… (13 characters)"


def test_whatever_is_given_is_shown_as_its_text() -> None:
    """Numbers and exceptions too."""
    assert printable(12) == "12"
    assert printable(ValueError("a\nb")) == r"a\x0ab"


def test_a_value_in_a_message_stands_in_quotation_marks() -> None:
    """`quoted` adds the marks and doubles nothing."""
    assert quoted("a\nb") == r"'a\x0ab'"
    assert quoted("x" * 61) == f"'{'x' * 60}… (61 characters)'"


@given(st.text(st.characters(codec=None), max_size=300))
@example("".join(text for text, _ in TABLE))
@example("# #[#" * 30)
def test_the_output_is_one_safe_line(text: str) -> None:
    """Any text at all: encodable, one line, no hostile character, no CI command."""
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not HOSTILE_CATEGORIES & {unicodedata.category(character) for character in shown}
    assert COMMAND.search(shown) is None


@given(st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=200))
def test_harmless_text_stays_as_it_is(text: str) -> None:
    """Nothing is escaped without need."""
    if "::" not in text and COMMAND.search(text) is None:
        assert printable(text) == text


@given(st.text(max_size=150))
def test_showing_twice_changes_nothing(text: str) -> None:
    """What was made safe is safe, so a message may pass through again."""
    once = printable(text, limit=10_000)
    assert printable(once, limit=10_000) == once
