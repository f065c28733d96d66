"""The shape of a kind of input."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from ..answer import Answer
from ..changes import Files, changed_files

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
DATA = ROOT / "tests" / "data"


@dataclass(frozen=True)
class Kind:
    """Good inputs, a way to change them, and the question that each is put to.

    `share` is the part of a run in thousandths. `answer` gets the directory that holds the
    files; it may raise nothing.
    """

    name: str
    share: int
    make_seeds: Callable[[], Sequence[Files]]
    answer: Callable[[Path], Answer]
    change: Callable[[Random, Files], Files] = changed_files

    @cached_property
    def seeds(self) -> Sequence[Files]:
        """The good inputs, made once."""
        return self.make_seeds()

    def draw(self, random: Random) -> Files:
        """One input: a seed with a change, at times with several."""
        files = random.choice(self.seeds)
        for _ in range(random.choice((1, 1, 1, 2, 4))):
            files = self.change(random, files)
        return files


def files_in(directory: Path, *, but: tuple[str, ...] = ()) -> Files:
    """The files of a directory without those named."""
    return {
        path.name: path.read_bytes()
        for path in sorted(directory.iterdir())
        if path.is_file() and path.name not in but
    }


def cut(files: Files, lines: int = 12) -> Files:
    """The files with tables cut to so many lines, so that one execution stays short."""
    return {
        name: b"".join(content.splitlines(keepends=True)[:lines])
        if name.endswith(".csv")
        else content
        for name, content in files.items()
    }
