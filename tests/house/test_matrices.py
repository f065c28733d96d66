"""The sample of a matrix of cases."""

from hypothesis import given
from hypothesis import strategies as st

from tests.matrices import diagonal

AXES = st.lists(st.integers(1, 9).map(lambda count: list(range(count))), min_size=2, max_size=4)


@given(AXES, st.integers(1, 7))
def test_every_value_of_every_axis_is_in_the_sample(axes: list[list[int]], every: int) -> None:
    """No row and no column of a matrix is left out."""
    sample = diagonal(every, *axes)
    assert [sorted({case[at] for case in sample}) for at in range(len(axes))] == axes
    assert len(set(sample)) == len(sample)


def test_the_size_of_a_sample() -> None:
    """A fifth where the axes are long, all with a step of one."""
    assert len(diagonal(5, range(10), range(10))) == 20
    assert len(diagonal(1, range(10), range(10))) == 100
    assert diagonal(5, range(3), "ab") == [(0, "a"), (1, "b"), (2, "a")]
