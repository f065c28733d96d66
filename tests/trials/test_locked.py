"""No answer of `explain()` changes unseen: the committed hashes hold."""

import pytest
from hypothesis import settings

from tests.trials.locked import PARTS, changes, committed, digests

IS_SOAK = settings().max_examples > 1000
EACH = {"singles-fast": 17, "pairs-fast": 23, "dusty-fast": 10, "noise-fast": 60}
"""Of these parts every so many chunks are checked by default; of the quick ones all."""

QUICK = {"real-fast", "examples-fast", "real-full", "examples-full"}
CHUNKS = [chunk for part in PARTS for chunk in part.chunks]
CHECKED = [
    chunk
    for part in PARTS
    for at, chunk in enumerate(part.chunks)
    if IS_SOAK or part.name in QUICK or (part.name in EACH and at % EACH[part.name] == 0)
]


@pytest.mark.parametrize("chunk", CHECKED)
def test_answers_are_as_committed(chunk: str) -> None:
    """Verdicts, causes, ids, amounts, repairs, prose, and the budget that was left."""
    assert not changes(chunk, digests(chunk), committed()[chunk])


def test_every_chunk_is_committed() -> None:
    """A part that was never written would hold nothing."""
    assert list(committed()) == CHUNKS


def test_a_change_is_noticed() -> None:
    """Of a chunk each of three things is compared by itself."""
    expected = {"answers": "a", "prose": "b", "budget": "c"}
    assert changes("x/0", expected, expected) == []
    found = {"answers": "a", "prose": "other", "budget": "c"}
    assert changes("x/0", found, expected) == ["x/0: other prose"]
