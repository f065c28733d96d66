"""Progress of a run of many sessions."""

from typing import Any

import pytest

from pytest_recon.progress import Progress


class Reporter:
    """A terminal that keeps what is rewritten."""

    def __init__(self, *, isatty: bool) -> None:
        self.isatty, self.verbosity = isatty, -1
        self.lines: list[str] = []

    def rewrite(self, line: str, *, erase: bool = False) -> None:
        """Keep a line; erasing leaves nothing of the one before."""
        self.lines.append(line if erase or not line else f"?{line}")


@pytest.mark.parametrize(
    ("reporter", "lines"),
    [
        (Reporter(isatty=True), ["reading session 1 of 3", "", ""]),
        (Reporter(isatty=False), []),
        (None, []),
    ],
)
def test_a_terminal_shows_how_many_sessions_are_read(reporter: Any, lines: list[str]) -> None:
    """Under -q too; the line is erased at the end, and a file has none of it."""
    assert list(Progress().reading(reporter, ["a", "b", "c"])) == ["a", "b", "c"]
    assert getattr(reporter, "lines", []) == lines
