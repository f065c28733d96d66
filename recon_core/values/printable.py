"""Text from outside, made safe to print on a terminal and in a CI log.

A symbol, a file name or a session id may carry anything: escape sequences that
repaint the terminal, marks that reverse the reading direction, half of a
surrogate pair that no encoder accepts, or a line that a CI runner would take for
a command. `printable` makes all of that visible and keeps the text on one line.
"""

import re
import unicodedata

_CONTROL_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# The directories of an absolute path; between quotation marks they may hold spaces.
_ROOT = r"(?:/|[A-Za-z]:[/\\])"
_PATH = re.compile(
    rf"""(?<=['"]){_ROOT}(?:[^/\\\n'"]*[/\\])*(?=[^/\\\s])"""
    rf"""|(?<![\w.:/\\]){_ROOT}(?:[^/\\\s'"]*[/\\])*(?=[^/\\\s])"""
)
# GitHub takes `::name` at the start of a line, and pytest wraps long lines where it
# likes; `##[name` and the `##vso[` of Azure Pipelines count anywhere in a line.
# No name of a command has a digit: the `::` of the id 20260102::4f1c is harmless.
_COMMAND = re.compile(r"#(?=#(?:vso)?\[)|(?<![0-9A-Za-z]):(?=:)|:(?=:(?![A-Za-z]*[0-9]))")


def printable(text: object, limit: int = 200) -> str:
    """Return `text` on one line, every hostile character made visible.

    At most `limit` characters of the original are kept; the omission is announced by an
    ellipsis and its length, so that nothing is cut silently.
    """
    whole = str(text)
    shown = whole[:limit]
    if not (shown.isascii() and shown.isprintable()):
        shown = "".join(map(_visible, shown))
    if "#" in shown or "::" in shown:
        shown = _COMMAND.sub(_broken_command, shown)
    return shown if len(whole) <= limit else f"{shown}… ({len(whole)} characters)"


def without_paths(text: str) -> str:
    """Return `text` with the last part in place of each absolute path: it names the machine."""
    return _PATH.sub("", text)


def quoted(text: object, limit: int = 60) -> str:
    """`printable` between quotation marks: a value in an error message."""
    return f"'{printable(text, limit)}'"


def _visible(character: str) -> str:
    if unicodedata.category(character) not in _CONTROL_CATEGORIES:
        return character
    # Python's own notation: \x1b, \u202e, \ud800; a backslash itself is left alone.
    return (
        character.encode("ascii", "backslashreplace").decode()
        if character > "\x7f"
        else (f"\\x{ord(character):02x}")
    )


def _broken_command(match: re.Match[str]) -> str:
    return f"\\x{ord(match[0]):02x}"
