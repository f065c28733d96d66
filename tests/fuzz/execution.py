"""One execution: an input is drawn by its number, asked, and its answer looked at."""

import re
import resource
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from types import FrameType

from .answer import Answer
from .changes import Files
from .kinds import KINDS
from .kinds.kind import Kind

SECONDS = 10
"""Processor that one answer may take; the inputs are some KiB, the slowest takes 0.6 s."""
AGAIN = 7
"""One input of so many is asked twice."""
_UNFORESEEN = re.compile(r"\w+(?:Error|Exception|Interrupt) while reading|internal error|Traceback")


class TooLongError(BaseException):
    """An answer takes too long; no `except Exception` of a reader may hold it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that breaks a promise, and the promise."""

    kind: str
    number: int
    reason: str
    files: Files


@dataclass(slots=True)
class Tally:
    """The figures of one kind."""

    counts: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    digest: bytes = b""

    def add(self, answer: Answer, seconds: float) -> None:
        """Count one answer."""
        self.counts["executions"] += 1
        self.counts["refused"] += answer.refused
        self.counts["clear"] += answer.clear
        self.counts["not told"] += answer.untold
        self.slowest = max(self.slowest, seconds)
        text = answer.text.encode("utf-8", "backslashreplace")
        self.digest = sha256(self.digest + text).digest()


def kind_of(number: int, seed: int) -> Kind:
    """The kind of an input, by the shares."""
    weights = [kind.share for kind in KINDS]
    return Random(f"{seed} kind {number}").choices(KINDS, weights)[0]


def drawn(kind: Kind, number: int, seed: int) -> Files:
    """The input of a number: the same in every process."""
    return kind.draw(Random(f"{seed} {kind.name} {number}"))


def execute(kind: Kind, files: Files, number: int = 0) -> tuple[Answer | None, float, str]:
    """Ask once, at times twice; the answer, its seconds and a broken promise, if any."""
    with TemporaryDirectory(prefix="fuzz-") as place:
        # A session may be called like its directory: always the same, for the same digest.
        directory = Path(place) / "input"
        for name, content in files.items():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            (directory / name).write_bytes(content)
        started = time.process_time()
        try:
            answer = _asked(kind, directory)
            again = _asked(kind, directory) if number % AGAIN == 0 else answer
        except TooLongError:
            return None, SECONDS, f"no answer within {SECONDS} s"
        except BaseException as error:  # noqa: BLE001  # that it raises is the finding
            return None, 0.0, f"raised {type(error).__name__}: {error}"[:300]
        seconds = time.process_time() - started
        return answer, seconds, _broken(answer, again, place)


def _asked(kind: Kind, directory: Path) -> Answer:
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        return kind.answer(directory)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TooLongError


def _broken(answer: Answer, again: Answer, place: str) -> str:
    unforeseen = _UNFORESEEN.search(answer.text)
    if answer.wrong:
        return f"clear, but {answer.wrong}"
    if unforeseen:
        return f"unforeseen: {answer.text[unforeseen.start() :][:200]}"
    if place in answer.text:
        return "the answer shows a path of the machine"
    return "" if again == answer else "asked twice, it answers differently"


def peak_memory() -> int:
    """The most memory that this process had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
