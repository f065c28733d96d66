"""No answer of `explain()` changes unseen: the committed hashes hold."""

import os

import pytest
from hypothesis import settings

from tests.trials.locked import (
    DIGITS,
    NO_SESSION,
    PARTS,
    changes,
    committed,
    digests,
    part_of,
    session_digest,
    sessions,
)

IS_SOAK = settings().max_examples > 1000
IS_MUTATION = os.environ.get("RECON_TEST_SIZE") == "mutation"
"""A mutation run asks session by session: of the many that call a function the quick ones."""

EACH = {
    "singles-fast": 32,
    "worlds-fast": 60,
    "states-fast": 10,
    "charges-fast": 12,
    "noise-fast": 12,
}
"""Of these parts every so many chunks are checked by default; of the quick ones all.

The chunks of the others take up to ten seconds: of those every so many sessions are asked one by
one, from all of their chunks, and a whole chunk by `make soak` alone.
"""

QUICK = {"real-fast", "examples-fast", "real-full", "examples-full"}
CHUNKS = [chunk for part in PARTS for chunk in part.chunks]
CHECKED = [
    chunk
    for part in PARTS
    for at, chunk in enumerate(part.chunks)
    if (IS_SOAK or part.name in QUICK or (part.name in EACH and at % EACH[part.name] == 0))
    and (part.is_slow or not IS_MUTATION)
]
TRIED = {"pairs-fast": 5} if IS_MUTATION else dict.fromkeys((part.name for part in PARTS), 40)
"""Of these parts every so many sessions are asked one by one, of the others all."""

SINGLY = [
    pytest.param(chunk, number, digest, id=f"{part_of(chunk).name}-{number}")
    for chunk, expected in committed().items()
    for number, digest in sessions(chunk, expected).items()
    if digest != NO_SESSION and number % TRIED.get(part_of(chunk).name, 1) == 0
]


@pytest.mark.parametrize("chunk", CHECKED)
def test_answers_are_as_committed(chunk: str) -> None:
    """Verdicts, causes, ids, amounts, repairs, prose, and the budget that was left."""
    assert not changes(chunk, digests(chunk), committed()[chunk])


@pytest.mark.parametrize(("chunk", "number", "digest"), SINGLY)
def test_an_answer_is_as_committed(chunk: str, number: int, digest: str) -> None:
    """The same, session by session: most of them in a mutation run only."""
    assert session_digest(part_of(chunk), number) == digest


def test_every_chunk_is_committed() -> None:
    """A part that was never written would hold nothing."""
    lock = committed()
    assert list(lock) == CHUNKS
    numbers = {chunk: () if part.is_slow else part.numbers_of(chunk)
               for part in PARTS for chunk in part.chunks}  # fmt: skip
    assert all(list(sessions(chunk, lock[chunk])) == list(numbers[chunk]) for chunk in lock)
    assert all(
        len(one.get("each", "")) == DIGITS * len(numbers[chunk]) for chunk, one in lock.items()
    )


def test_a_change_is_noticed() -> None:
    """Of a chunk each of three things is compared by itself, and the session is named."""
    chunk = "dusty-fast/20"
    expected = {"answers": "a", "prose": "b", "budget": "c", "each": "0123" * 10}
    assert changes(chunk, expected, expected) == []
    found = {**expected, "prose": "other", "each": "0123" * 3 + "0124" + "0123" * 6}
    assert changes(chunk, found, expected) == [
        "dusty-fast/20: other prose",
        "dusty-fast/20: other sessions 23",
    ]
