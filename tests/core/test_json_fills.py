"""Fills that are read from the text of a session are those that the file models give."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.model import InputFile
from recon_core.sessions import json_fills, native, read_session, schema
from recon_core.sessions.fast_rows import PlainFills
from recon_core.sessions.files import FileContent
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.native_rows import fill
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, document, write_session

ROW = {
    "fill_id": "f1",
    "symbol": "BTC/EUR",
    "side": "BUY",
    "quantity": "0.10",
    "price": "42000",
    "time": AS_OF_TEXT,
}
MORE = {
    "fee": "-0.10",
    "fee_currency": "EUR",
    "client_order_id": "o",
    "exchange_order_id": "x",
    "account": "a",
    "leg": "SHORT",
    "position_id": "p",
}
STYLES: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":")},
    {"separators": (" , ", " : ")},
    {"indent": 1},
    {"ensure_ascii": False},
]


@pytest.fixture(autouse=True)
def _short_texts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "_LONG", 0)


def text_of(ours: list[Any], theirs: list[Any] | None = None, **style: Any) -> str:
    sides = {"internal": {"as_of": AS_OF_TEXT, "fills": ours}}
    if theirs is not None:
        sides["external"] = {"as_of": AS_OF_TEXT, "fills": theirs}
    return json.dumps(document(**sides), **style)


def at_once(text: str) -> schema.SessionFile | None:
    return native._with_plain_fills(FileContent("x", text, InputFile("x", "")))


def by_models(text: str) -> schema.SessionFile | None:
    """What a text is where every row is read for itself; `None` where it is refused."""
    try:
        return native._validated(parse_json(text, "x", any_depth=True), "x")
    except SessionError:
        return None


def shown(file: schema.SessionFile) -> tuple[list[str], str]:
    """Every digit of the fills, and all else."""
    fills = []
    for side in (file.internal, file.external):
        rows = getattr(side, "fills", None) or []
        fills += [repr(fill(row) if isinstance(row, schema.FillRow) else row) for row in rows]
    rest = file.model_dump(exclude={"internal": {"fills"}, "external": {"fills"}})
    return fills, repr(rest)


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("more", [{}, MORE, {"fee": "0"}, {"fee": None, "account": None}], ids=len)
@pytest.mark.parametrize("size", [1, 100_000])
def test_plain_fills_are_read_at_once(
    style: dict[str, Any], more: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are the very fills of the models, in whatever style and pieces the text is."""
    monkeypatch.setattr(json_fills, "_AT_ONCE", size)
    ours = [ROW, ROW | more, ROW | {"symbol": "übung"}]
    text = text_of(ours, [ROW | {"fill_id": "f2"}, *ours], **style)
    file, models = at_once(text), by_models(text)
    escaped = "\\" in text
    assert (file is None) == escaped
    assert models is not None
    assert shown(file or models) == shown(models)
    if file is not None:
        assert isinstance(file.internal, schema.SideTable)
        assert isinstance(file.internal.fills, PlainFills)


def test_a_piece_of_both_sides_is_read_once() -> None:
    """Its fills are the same objects, so that one replay serves both sides."""
    file = at_once(text_of([ROW], [ROW]))
    assert file is not None
    assert isinstance(file.internal, schema.SideTable)
    assert isinstance(file.external, schema.SideTable)
    assert file.internal.fills[0] is file.external.fills[0]  # type: ignore[index]  # lists both


TEXT = text_of([ROW, ROW | MORE | {"fill_id": "f2"}])
CHANGES = [
    ('"quantity": "0.10"', '"quantity": "1", "quantity": "0.10"'),  # a key twice
    ('"quantity": "0.10"', '"quantity" : "1", "quantity": "0.10"'),
    ('"fill_id": "f1"', '"fill_id": "f1", "fill_id": "f1"'),
    ('"0.10"', "0.10"),  # a number, whose digits only its text has
    ('"0.10"', "NaN"),
    ('"0.10"', '"NaN"'),
    ('"0.10"', '"1e5"'),
    ('"0.10"', '"0"'),
    ('"0.10"', '"01"'),
    ('"0.10"', "true"),
    ('"BTC/EUR"', '"a,b"'),
    ('"BTC/EUR"', '"a]b"'),
    ('"BTC/EUR"', '"a}b"'),
    ('"BTC/EUR"', '"\\u0041"'),
    ('"BTC/EUR"', '"a\x1fb"'),
    ('"BTC/EUR"', '""'),
    ('"BTC/EUR"', '["BTC/EUR"]'),
    ('"BTC/EUR"', '"BTC/EUR", "unknown": "1"'),
    ('"BUY"', '"buy"'),
    ('"SHORT"', "null"),
    (', "fee_currency": "EUR"', ""),
    ("}, {", "} {"),
    ("}, {", "},, {"),
    ("}, {", "}, {}, {"),
    ("}, {", "}, null, {"),
    ("}, {", "}\x0b, {"),
    ("}]", "},]"),
    ("}]", "}"),
    ('"fills": [', '"fills": [[], '),
    ('"fills": [', '"fills": [], "fills": ['),
    ('"internal":', '"instruments": {"fills": [{}]}, "internal":'),
    ('"fills": [', '"opening": {"fills": [{}]}, "fills": ['),
    (AS_OF_TEXT, "2026-01-01T13:00:00+01:00"),
    (AS_OF_TEXT, "2026-02-30T12:00:00Z"),
    (AS_OF_TEXT, AS_OF_TEXT.lower()),
]


@pytest.mark.parametrize(("before", "after"), CHANGES)
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_is_not_plain_is_read_as_ever(
    before: str, after: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a row or the text between rows holds: the models have the last word."""
    monkeypatch.setattr(json_fills, "_AT_ONCE", size)
    assert before in TEXT
    changed = TEXT.replace(before, after)
    file, models = at_once(changed), by_models(changed)
    if file is not None:
        assert models is not None
        assert shown(file) == shown(models)


PARTS = st.sampled_from(
    ['"', ",", ":", "{", "}", "[", "]", "\\", "NaN", "null", "1", "-", ".", "e5", '"fills":[', " ",
     "\n", "\x0b", "\u00a0", "\x1f", "é", '"fee":"1",', '"symbol":"a",', '"price":5,', "true", "[]",
     "{}", '"fills":[],', '"account":null,', '"leg":null,', "01", "T", "Z", '"internal":', "BUY"]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), PARTS, st.integers(0, 40)), max_size=3
)
SIDES = st.lists(st.sampled_from([ROW, ROW | MORE, ROW | {"fill_id": "f3"}]), max_size=4)


@given(SIDES, SIDES, st.sampled_from(STYLES), EDITS, st.sampled_from([1, 150, 100_000]))
def test_no_text_is_read_that_the_models_refuse(
    ours: list[Any],
    theirs: list[Any],
    style: dict[str, Any],
    edits: list[tuple[float, str, int]],
    size: int,
) -> None:
    """However a text is damaged: the same session, or the models say what is wrong."""
    text = text_of(ours, theirs, **style)
    for place, part, left_out in edits:
        at = int(place * len(text))
        text = text[:at] + part + text[at + left_out :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_fills, "_AT_ONCE", size)
        file = at_once(text)
    if file is not None:
        models = by_models(text)
        assert models is not None
        assert shown(file) == shown(models)


@pytest.mark.parametrize("text", [f"[{TEXT}]", f'"{TEXT}"', TEXT[TEXT.index('"fills"') :]])
def test_what_is_no_session_is_left_to_the_models(text: str) -> None:
    """A list of fills alone makes none."""
    assert at_once(text) is None


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('"f9"', '"f9", "fill_id": "f9"', "duplicate key 'fill_id' in one object"),
        ('"f9"', '"f9" "', "is not JSON: expecting ',' delimiter at line 21 column 21"),
        ('"f9"', "NaN", "NaN is not an amount"),
        ('"f9"', "9", "external.fills[0].fill_id: 9; expected text"),
    ],
)
def test_errors_have_their_places(before: str, after: str, problem: str, tmp_path: Path) -> None:
    """A message about a text of many fills is that of any other one."""
    text = text_of([ROW], [ROW | {"fill_id": "f9"}], indent=1).replace(before, after)
    path = write_session(tmp_path, {})
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SessionError) as caught:
        read_session(path)
    assert problem in str(caught.value)


@pytest.mark.parametrize(("levels", "is_refused"), [(64, False), (65, True)])
def test_levels_of_a_document(levels: int, *, is_refused: bool) -> None:
    """64 are read; more are refused, unless the caller looks at them itself."""
    text = "[" * levels + "]" * levels
    assert parse_json(text, "x", any_depth=True) == json.loads(text)
    if is_refused:
        with pytest.raises(SessionError, match="x: is nested deeper than 64 levels"):
            parse_json(text, "x")
    else:
        assert parse_json(text, "x") == json.loads(text)
