"""Fills that are read at once are those that the file models give, and nothing else is."""

from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from recon_core.model import Fill
from recon_core.sessions import fast_rows, read_session, schema
from recon_core.sessions.fast_rows import ReadBefore, plain_fills
from recon_core.sessions.native_rows import fill as _fill
from recon_core.values.amounts import NumberText

from .builders import AS_OF_TEXT, document, write_session

PLAIN: dict[str, Any] = {
    "fill_id": "f1",
    "symbol": "BTC/EUR",
    "side": "BUY",
    "quantity": "0.1",
    "price": "42000.00",
    "time": AS_OF_TEXT,
}
MODELS = TypeAdapter(list[schema.FillRow])


def by_models(rows: Any) -> list[Fill] | None:
    """What the file models make of rows, `None` where they refuse them."""
    try:
        return [_fill(row) for row in MODELS.validate_python(rows)]
    except ValidationError:
        return None


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"fee": "4.20", "fee_currency": "EUR"},
        {"fee": "-4.20", "fee_currency": "EUR"},
        {"fee": "0"},
        {"fee": "-0.00", "price": "-0"},
        {"fee": None, "account": None, "position_id": None},
        {"price": "-37.63"},
        {"quantity": NumberText("0.1"), "price": NumberText("42000")},
        {"time": "2026-01-01T12:00:00.123456789Z"},
        {"client_order_id": "o", "exchange_order_id": "x", "account": "a", "leg": "SHORT"},
        {"position_id": "p", "symbol": "übung", "fill_id": "|"},
        {"quantity": "9" * 30 + "." + "9" * 30},
    ],
)
def test_a_plain_row_is_read_at_once(more: dict[str, Any]) -> None:
    """It gives the very fill that the file models give."""
    rows = [PLAIN, PLAIN | more]
    assert plain_fills(rows) == by_models(rows)
    assert [repr(fill) for fill in plain_fills(rows) or ()] == [
        repr(fill) for fill in by_models(rows) or ()
    ]
    assert plain_fills(rows) is not None


VALUES: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, "", "0", "-0", "1", "-1", "1.5", "01", "1.", "+1", "1e5", "NaN", "٣", "1|2", "a\n",
        "BUY", "SELL", "buy", "NET", "LONG", "EUR", "9" * 31, "0." + "1" * 31, True, 5, 1.5, [], {},
        NumberText("1"), NumberText("1e5"), NumberText("0"), b"1",
        AS_OF_TEXT, "2026-01-01T12:00:00+01:00", "2026-01-01T12:00:00", "2026-02-30T12:00:00Z",
        "2026-01-01t12:00:00z", "2026-01-01T24:00:00Z", "2026-01-01T12:00:00.1Z", f"{AS_OF_TEXT}\n",
    ]
)  # fmt: skip
KEYS = st.sampled_from([*schema.FillRow.model_fields, "unknown"])


@given(st.dictionaries(KEYS, VALUES, max_size=4), st.sets(st.sampled_from(sorted(PLAIN))))
def test_no_row_is_accepted_that_the_models_refuse(
    changed: dict[str, Any], dropped: set[str]
) -> None:
    """Whatever stands in a row: the same fill, or the models have the last word."""
    row = {key: value for key, value in PLAIN.items() if key not in dropped} | changed
    fast = plain_fills([row])
    if fast is not None:
        assert repr(fast) == repr(by_models([row]))


RIGHT: dict[str, list[Any]] = {
    "fee": [None, "0", "-0", "-1.50", NumberText("0.1")],
    "fee_currency": ["EUR"],
    "account": [None, "a"],
    "client_order_id": ["o|1"],
    "exchange_order_id": [None, "x"],
    "leg": ["NET", "LONG"],
    "position_id": ["p"],
    "quantity": [NumberText("2"), "0.30"],
    "price": ["-0.0", "-2"],
    "side": ["SELL"],
}
# What a row may have besides, and rarely something that is wrong or makes no sense.
MORE = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in RIGHT.items()}
)
WRONG = st.one_of(st.just({}), st.just({}), st.dictionaries(KEYS, VALUES, max_size=1))


@given(st.lists(st.tuples(MORE, WRONG), max_size=6), st.integers(1, 4))
def test_rows_of_every_form_stand_in_one_list(
    changes: list[tuple[dict[str, Any], dict[str, Any]]], at_once: int
) -> None:
    """Read field by field, no row takes anything from another one."""
    rows = [
        PLAIN | {"fill_id": f"{number}"} | more | wrong
        for number, (more, wrong) in enumerate(changes)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_rows, "_AT_ONCE", at_once)
        fast = plain_fills(rows)
    models = by_models(rows)
    if fast is not None:
        assert repr(fast) == repr(models)
    elif not any(wrong for _, wrong in changes):
        assert models is None  # only a fee without a currency is left to them


@given(
    st.lists(MORE, min_size=1, max_size=6),
    st.lists(st.tuples(MORE, WRONG), max_size=6),
    st.integers(1, 3),
)
def test_rows_that_both_sides_state_are_read_once(
    ours: list[dict[str, Any]], changes: list[tuple[dict[str, Any], dict[str, Any]]], at_once: int
) -> None:
    """The fills of the other side are what they would be alone."""
    before = ReadBefore()
    mine = [PLAIN | {"fee_currency": "EUR"} | more for more in ours]
    others = [dict(row) for row in mine]
    for number, (more, wrong) in enumerate(changes):
        others[number % len(others)] |= more | wrong
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_rows, "_AT_ONCE", at_once)
        first, again = plain_fills(mine, before), plain_fills(list(map(dict, mine)), before)
        second, alone = plain_fills(others, before), plain_fills(others)
    assert first is not None
    assert again is not None
    assert all(one is other for one, other in zip(first, again, strict=True))
    assert repr(second) == repr(alone)
    if second is not None:
        assert repr(second) == repr(by_models(others))


@pytest.mark.parametrize("field", ["quantity", "price", "fee", "time"])
@pytest.mark.parametrize("value", ["1|2", "|", "1|", "|1", "", "1\n", "1|2026-01-01T12:00:00Z"])
def test_no_text_passes_for_two(field: str, value: str) -> None:
    """Texts are checked side by side: the sign between them has no place in one."""
    assert plain_fills([PLAIN, PLAIN | {"fee_currency": "EUR", field: value}]) is None


def test_what_is_read_is_a_fill() -> None:
    """Frozen, and of no other class."""
    fills = plain_fills([PLAIN])
    assert fills is not None
    (fill,) = fills
    assert type(fill) is Fill
    with pytest.raises(FrozenInstanceError):
        fill.fee_currency = "EUR"  # type: ignore[misc]
    assert replace(fill, fee_currency="EUR").fee_currency == "EUR"


@pytest.mark.parametrize("field", ["quantity", "price", "fee", "time"])
@pytest.mark.parametrize("value", [5, 1.5, True, b"1"])
def test_what_is_no_text_is_left_to_the_models(field: str, value: object) -> None:
    """Numbers of files come as their text; a binary float is never read as one."""
    assert plain_fills([PLAIN | {field: value}]) is None


@pytest.mark.parametrize("rows", [None, {}, "", [None], [[]], ["f1"], [{}], [PLAIN, None]])
def test_what_is_no_list_of_rows_is_left_to_the_models(rows: Any) -> None:
    """They say what is wrong with it."""
    assert plain_fills(rows) is None


def test_one_row_that_is_not_plain_is_read_like_the_others(tmp_path: Path) -> None:
    """An offset in one time changes the way, and not the fills."""
    rows = [PLAIN, PLAIN | {"fill_id": "f2", "time": "2026-01-01T13:00:00+01:00"}]
    side = {"as_of": AS_OF_TEXT, "fills": rows}
    recorded = read_session(write_session(tmp_path, document(internal=side)))
    assert recorded.internal is not None
    assert recorded.internal.fills is not None
    assert [fill.fill_id for fill in recorded.internal.fills] == ["f1", "f2"]
    assert len({fill.time for fill in recorded.internal.fills}) == 1
