"""The runbook's export: a JSON list of entries, read one entry after the other.

Numbers stay what they are in the file: one that Python would print differently is kept
as its text. What JSON leaves open (a key twice, NaN) is refused.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from recon_core.audit.fields import Entry
from recon_core.values.errors import AuditError
from recon_core.values.printable import printable, quoted

EXPECTED: Final = "expected a list of entries (an export), or the JSON Lines of an audit log"

_CHUNK: Final = 1 << 20
"""Bytes of an export that are read at once."""
_LONGEST_ENTRY: Final = 64 << 20
"""Characters; an entry is in memory whole, and one without an end must not fill it."""
_SAFE: Final = 2**53 - 1
"""The largest integer that a reader of JSON with binary floats keeps exact."""
_SAFE_DIGITS: Final = 17
"""Characters of the longest integer up to `_SAFE`, its sign included."""
_WHITE: Final = re.compile(r"[ \t\r\n]*")
# What is left of a word or an escape of JSON whose end is missing.
_CUT_OFF: Final = re.compile(r"\\?u?[0-9a-fA-F]{0,4}|tr?u?|fa?l?s?|nu?l?|-")


def read_export(read: Callable[[int], bytes], first_line: int = 1) -> Iterator[Entry]:
    """The entries of the list whose opening bracket was just read; errors say where.

    `first_line` is the line of that bracket. Raises `AuditError`.
    """
    text, number = _Window(read, first_line), 0
    closed = text.mark() == "]" and bool(text.skip("]"))
    while not closed:
        number += 1
        yield text.entry(number)
        closed = text.skip(",", "]") == "]"
    text.expect_end()


class _Window:
    """The part of the text that is being looked at."""

    def __init__(self, read: Callable[[int], bytes], line: int) -> None:
        self._read = read
        self._bytes = codecs.getincrementaldecoder("utf-8")("strict")
        self._text, self._at, self._line, self._ended = "", 0, line, False

    def mark(self) -> str:
        """The next character that is no white space, empty at the end of the text."""
        while True:
            space = _WHITE.match(self._text, self._at)
            assert space is not None  # noqa: S101  # it may be empty
            self._at = space.end()
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def skip(self, *expected: str) -> str:
        """Pass and return one of the expected characters; raises `AuditError` for any other."""
        found = self.mark()
        if found not in expected:
            raise AuditError(self._wrong(found, f"expected {' or '.join(expected)}"))
        self._at += 1
        return found

    def entry(self, number: int) -> Entry:
        """Pass the next entry of the list, a JSON object."""
        found = self.mark()
        if found != "{":
            raise AuditError(self._wrong(found, f"expected entry {number}, a JSON object"))
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():
                    raise AuditError(self._not_json(error, number)) from None
            except _RefusedError as error:
                raise AuditError(f"entry {number}: {error}") from None
            except RecursionError:
                raise AuditError(f"entry {number}: is nested too deep") from None
            else:
                assert isinstance(value, dict)  # noqa: S101  # it starts with a brace
                return value

    def expect_end(self) -> None:
        """Nothing may follow the list."""
        if found := self.mark():
            raise AuditError(self._wrong(found, "expected nothing after the list"))

    def _more(self) -> bool:
        """Read on; what was passed is forgotten. Whether there was more."""
        if self._ended or len(self._text) - self._at > _LONGEST_ENTRY:
            return False
        self._line += self._text.count("\n", 0, self._at)
        # As much again as there is: an entry of any length is decoded a few times only.
        content = self._read(max(_CHUNK, len(self._text) - self._at))
        self._ended = not content
        try:
            added = self._bytes.decode(content, final=self._ended)
        except UnicodeDecodeError:
            raise AuditError(f"is not UTF-8 after line {self._line}; expected UTF-8 text") from None
        self._text, self._at = self._text[self._at :] + added, 0
        return bool(content)

    def _place(self, at: int) -> str:
        return f"line {self._line + self._text.count(chr(10), 0, at)}"

    def _wrong(self, found: str, expected: str) -> str:
        if not found:
            return f"ends in {self._place(self._at)} in the middle of the list; {expected}"
        return f"{self._place(self._at)}: {quoted(found)}; {expected}"

    def _not_json(self, error: json.JSONDecodeError, number: int) -> str:
        tail = self._text[error.pos :].rstrip()
        if error.msg.startswith("Unterminated") or _CUT_OFF.fullmatch(tail):
            end = self._place(len(self._text))
            return f"ends in {end} in the middle of entry {number}; expected a whole export"
        problem = error.msg.lower().removesuffix(" at")
        return f"{self._place(error.pos)}: entry {number} is not JSON: {problem}; {EXPECTED}"


class _RefusedError(Exception):
    """A value that JSON allows and an export may not have."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        left = list(table)
        # The first of them that is out of step with the keys as they are once.
        repeated = next(name for at, (name, _) in enumerate(pairs) if left[at : at + 1] != [name])
        raise _RefusedError(f"duplicate key {quoted(repeated)} in one object")
    return table


def _whole(text: str) -> int | str:
    if len(text) > _SAFE_DIGITS:
        return text
    number = int(text)
    return number if abs(number) <= _SAFE and str(number) == text else text


def _fraction(text: str) -> float | str:
    number = float(text)
    return number if repr(number) == text else text


def _constant(text: str) -> Any:
    raise _RefusedError(f"{printable(text)} is no number; expected a plain one")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=_whole,
    parse_float=_fraction,
    parse_constant=_constant,
)
