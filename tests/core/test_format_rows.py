"""Values of foreign rows: what a field may hold, and the line that refuses anything else."""

import pytest

from recon_core.sessions.formats import rows
from recon_core.values.amounts import NumberText
from recon_core.values.errors import SessionError


@pytest.mark.parametrize(
    ("value", "expected"), [(True, True), (False, False), (1, True), (0, False)]
)
def test_a_flag_is_a_truth_value(value: object, expected: object) -> None:
    """JSON has words for it, a database has 1 and 0."""
    assert rows.flag({"x": value}, "x") is expected


@pytest.mark.parametrize("value", [None, 2, -1, 1.0, "true", "", []])
def test_anything_else_is_no_flag(value: object) -> None:
    """Nothing is guessed to be true."""
    with pytest.raises(SessionError, match=r"x: .*; expected true or false"):
        rows.flag({"x": value}, "x")


@pytest.mark.parametrize(("value", "expected"), [("a", "a"), ("", None), (None, None)])
def test_text_may_be_missing(value: object, expected: str | None) -> None:
    """An empty text is none."""
    assert rows.optional_text({"x": value}, "x") == expected
    assert rows.optional_text({}, "x") is None


@pytest.mark.parametrize("value", [NumberText("7"), 7, True, [], {}])
def test_what_is_no_text_is_refused(value: object) -> None:
    """A number or a table where a text belongs is a mistake of the source."""
    with pytest.raises(SessionError, match=r"x: .*; expected text"):
        rows.optional_text({"x": value}, "x")
