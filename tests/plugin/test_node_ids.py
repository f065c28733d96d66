"""Node ids: `<anchor>::<kind>::<key>`, safe to print, sorted, and usable as arguments."""

import string
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recon_core.compare.keys import encode_key, pair
from recon_core.compare.views import compared_views
from recon_core.model import Leg, Position, RecordedSession, SideRecord
from tests.matrices import sample

from .conftest import final_line, run_pytest, write_clear, write_session

LONGEST_KEY = 200
CHECKS = ["session::as-of", "session::complete", "session::coverage", "session::readable"]


def collected(pytester: pytest.Pytester, *arguments: str | Path) -> list[str]:
    """The node ids in the order of the run."""
    result = run_pytest(pytester, "--co", "-q", *arguments)
    return [line for line in result.outlines if "::" in line and not line.startswith(" ")]


def ran(pytester: pytest.Pytester, *arguments: str | Path) -> list[str]:
    """The node ids of what passed, xfailed or failed; an error of pytest's own is none."""
    result = run_pytest(pytester, "-v", *arguments)
    words = [line.split() for line in result.outlines]
    outcomes = ("PASSED", "FAILED", "XFAIL")
    return [parts[0] for parts in words if len(parts) > 1 and parts[1] in outcomes]


def position_rows(*rows: tuple[str, str | None, str]) -> list[dict[str, str]]:
    """Rows of symbol, account and leg."""
    return [
        {"symbol": symbol, "quantity": "1", "leg": leg, **({"account": account} if account else {})}
        for symbol, account, leg in rows
    ]


def keys_of(pytester: pytest.Pytester, item_kind: str, **sections: Any) -> list[str]:
    """The keys of one kind in a session with these sections on both sides."""
    write_session(pytester.path / "desk.recon.json", **sections)
    prefix = f"desk.recon.json::{item_kind}::"
    found = collected(pytester, "--recon-session=desk.recon.json")
    return [node_id.removeprefix(prefix) for node_id in found if node_id.startswith(prefix)]


def test_file_kind_and_key_in_order(pytester: pytest.Pytester) -> None:
    """Files, kinds and keys are sorted, whatever order they stand in."""
    for name in ("b", "a", "sub/c"):
        write_session(
            pytester.path / f"{name}.recon.json",
            positions={"ETH/EUR": "1", "BTC/EUR": "1", "BTC/EUR:EUR": "1"},
            cash={"USD": "1", "EUR": "1"},
        )
    identities = [
        "cash::EUR",
        "cash::USD",
        "position::BTC/EUR",
        "position::BTC/EUR:EUR",
        "position::ETH/EUR",
        *CHECKS,
    ]
    names = ["a.recon.json", "b.recon.json", "sub/c.recon.json"]
    expected = [f"{name}::{identity}" for name in names for identity in identities]
    assert collected(pytester, "--recon-session=.") == expected
    assert collected(pytester, *(f"--recon-session={name}" for name in reversed(names))) == expected


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        pytest.param([("BTC", None, "NET")], ["BTC"], id="the default leg is not named"),
        pytest.param(
            [("BTC", None, "SHORT"), ("BTC", None, "LONG")],
            ["BTC,leg=LONG", "BTC,leg=SHORT"],
            id="legs",
        ),
        pytest.param([("BTC", "main", "NET")], ["BTC"], id="a side's only account is its default"),
        pytest.param(
            [("BTC", "b", "NET"), ("BTC", "a", "NET")],
            ["BTC,account=a", "BTC,account=b"],
            id="accounts",
        ),
        pytest.param(
            [("BTC", None, "NET"), ("BTC", "a", "NET")],
            ["BTC", "BTC,account=a"],
            id="the unnamed account stays unnamed",
        ),
        pytest.param(
            [("BTC", "a", "LONG"), ("BTC", "b", "NET")],
            ["BTC,account=b", "BTC,leg=LONG,account=a"],
            id="leg before account",
        ),
        pytest.param(
            [("BTC", "a,leg=LONG", "NET"), ("BTC", "a", "LONG")],
            ["BTC,account=a%2Cleg=LONG", "BTC,leg=LONG,account=a"],
            id="an account that looks like a leg",
        ),
        pytest.param(
            [("BTC,leg=LONG", None, "NET"), ("BTC", None, "LONG")],
            ["BTC%2Cleg=LONG", "BTC,leg=LONG"],
            id="a symbol that looks like a leg",
        ),
    ],
)
def test_legs_and_accounts_of_positions(
    pytester: pytest.Pytester, rows: list[tuple[str, str | None, str]], keys: list[str]
) -> None:
    """They stand in the key where they are not the default."""
    assert keys_of(pytester, "position", positions=position_rows(*rows), cash={}) == keys


@pytest.mark.parametrize(
    ("accounts", "keys"),
    [
        (("main",), ["EUR"]),
        (("a", "b"), ["EUR,account=a", "EUR,account=b"]),
        (("a b", "a@b"), ["EUR,account=a%20b", "EUR,account=a%40b"]),
    ],
)
def test_accounts_of_cash(
    pytester: pytest.Pytester, accounts: tuple[str, ...], keys: list[str]
) -> None:
    """Cash has accounts and no legs."""
    cash = [{"currency": "EUR", "total": "1", "account": account} for account in accounts]
    assert keys_of(pytester, "cash", cash=cash, positions={}) == keys


@pytest.mark.parametrize(
    ("symbol", "key"),
    [
        ("BTC/EUR", "BTC/EUR"),
        ("BTC/EUR:EUR-260327", "BTC/EUR:EUR-260327"),
        ("BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP.BINANCE"),
        ("a::b", "a%3A%3Ab"),
        ("a:::b", "a%3A%3A:b"),
        ("BTC[0]", "BTC%5B0%5D"),
        ("BTC@group", "BTC%40group"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        ("a,b", "a%2Cb"),
        ("a b\tc\nd", "a%20b%09c%0Ad"),
        ("\x1b[31m", "%1B%5B31m"),
        ("Größe", "Gr%C3%B6%C3%9Fe"),
        ("\U0001f600", "%F0%9F%98%80"),
        ("\x7f\x85\u2028\u202e", "%7F%C2%85%E2%80%A8%E2%80%AE"),
        ("-k", "-k"),
        ("../x", "../x"),
        ("a\\b'\"#;$", "a\\b'\"#;$"),
    ],
)
def test_encoding_of_a_key(pytester: pytest.Pytester, symbol: str, key: str) -> None:
    """What pytest, a shell's eye or a terminal trips over is percent-encoded."""
    assert keys_of(pytester, "position", positions={symbol: "1"}) == [key]


def test_an_overlong_key_is_cut_and_ends_in_a_hash(pytester: pytest.Pytester) -> None:
    """Two that differ only behind the cut keep apart."""
    symbols = {"x" * 300 + end: "1" for end in "ab"}
    keys = keys_of(pytester, "position", positions=symbols)
    assert len(set(keys)) == 2
    for key in keys:
        assert len(key) == LONGEST_KEY
        start, _, digest = key.rpartition("~")
        assert set(start) == {"x"}
        assert len(digest) == 16
        assert set(digest) <= set(string.hexdigits.lower())


def test_a_key_of_the_greatest_length_is_whole(pytester: pytest.Pytester) -> None:
    """The limit itself is not cut."""
    symbol = "x" * LONGEST_KEY
    assert keys_of(pytester, "position", positions={symbol: "1"}) == [symbol]


@pytest.mark.parametrize(
    ("name", "encoded"),
    [
        ("two words", "two%20words"),
        ("a::b", "a%3A%3Ab"),
        ("x[1]", "x%5B1%5D"),
        ("a@b", "a%40b"),
        ("Börse", "B%C3%B6rse"),
        ("a\nb", "a%0Ab"),
        ("50%", "50%25"),
    ],
)
def test_encoding_of_a_file_name(pytester: pytest.Pytester, name: str, encoded: str) -> None:
    """Directories too, each part of the path for itself."""
    write_session(pytester.path / name / f"{name}.recon.json", session_id="desk")
    found = collected(pytester, "--recon-session=.")
    assert found[-1] == f"{encoded}/{encoded}.recon.json::session::readable"


KEYS_TO_GIVE_BACK = [
    "BTC/EUR",
    "a::b",
    "BTC[0]",
    "BTC@group",
    "100%",
    "a b",
    "Größe",
    ":x:",
    "-k",
    "not",
    "a\\b",
    "'\"",
    "~",
    "x" * 300,
]


@pytest.mark.parametrize(
    ("number", "kind_of_run"), [*enumerate(["alone", "with the option", "by plain collection"])]
)
def test_every_node_id_selects_exactly_its_item(
    pytester: pytest.Pytester, number: int, kind_of_run: str
) -> None:
    """What pytest prints can be given back to pytest; each kind of run has half of them."""
    write_session(
        pytester.path / "sub" / "desk.recon.json",
        positions=[
            *position_rows(*((symbol, "a", "NET") for symbol in KEYS_TO_GIVE_BACK)),
            *position_rows(("BTC/EUR", "a", "LONG"), ("BTC/EUR", "b", "NET")),
        ],
        cash=[{"currency": "EUR", "total": "1", "account": account} for account in "ab"],
    )
    named = [] if kind_of_run == "by plain collection" else ["--recon-session=sub"]
    node_ids = collected(pytester, *(named or ["sub"]))
    assert len(node_ids) == len(KEYS_TO_GIVE_BACK) + 2 + 2 + len(CHECKS)
    given_back = ["--recon-session=sub"] if kind_of_run == "with the option" else []
    for node_id in sample([*node_ids[number:], *node_ids[:number]], every=2):
        assert ran(pytester, *given_back, node_id) == [node_id]


def test_a_kind_selects_its_items(pytester: pytest.Pytester, blocked_session: Path) -> None:
    """`file::position` is all positions."""
    node_ids = collected(pytester, f"--recon-session={blocked_session}")
    for item_kind in ("cash", "position", "session"):
        expected = [node_id for node_id in node_ids if f"::{item_kind}::" in node_id]
        assert ran(pytester, f"{blocked_session.name}::{item_kind}") == expected


def test_an_unknown_key_is_an_error(pytester: pytest.Pytester, clear_session: Path) -> None:
    """A node id that selects nothing does not pass as an empty run."""
    result = run_pytest(pytester, f"{clear_session.name}::position::NO/EUR")
    assert result.ret == 4
    assert final_line(result) != "RECON: CLEAR (1 session, 7 comparisons)"


@pytest.mark.parametrize("option", ["--recon-session={}", "{}"])
@pytest.mark.parametrize("form", ["absolute", "relative"])
def test_outside_the_rootdir(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory, option: str, form: str
) -> None:
    """The path part is not empty; it leads from the rootdir to the file."""
    outside = write_clear(tmp_path_factory.mktemp("outside") / "desk.recon.json")
    pytester.makeini("[pytest]")
    relative = Path(*[".."] * len(pytester.path.parts[1:]), *outside.parts[1:])
    argument = option.format(outside if form == "absolute" else relative)
    found = ran(pytester, f"--rootdir={pytester.path}", argument)
    assert len(found) == 7
    paths = {node_id.partition("::")[0] for node_id in found}
    assert len(paths) == 1
    path = paths.pop()
    assert path.startswith("../")
    assert (pytester.path / path).resolve() == outside.resolve()
    assert ran(pytester, f"--rootdir={pytester.path}", found[0]) == [found[0]]


def test_two_files_of_one_name_outside_the_rootdir(
    pytester: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Their items keep apart."""
    files = [
        write_clear(tmp_path_factory.mktemp(name) / "desk.recon.json") for name in ("one", "two")
    ]
    found = ran(
        pytester, f"--rootdir={pytester.path}", *(f"--recon-session={file}" for file in files)
    )
    assert len(set(found)) == len(found) == 14


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recon-session=../sessions",),
        ("--recon-session=../sessions/desk.recon.json",),
        ("--recon-session=../sess*/*.json",),
        ("../sessions/desk.recon.json",),
        ("../sessions",),
    ],
)
def test_from_a_subdirectory(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Node ids are relative to the rootdir and not to where pytest was started."""
    pytester.makeini("[pytest]")
    write_clear(pytester.path / "sessions" / "desk.recon.json")
    pytester.mkdir("work")
    monkeypatch.chdir(pytester.path / "work")
    result = run_pytest(pytester, "--co", "-q", *arguments)
    found = [line for line in result.outlines if "::" in line]
    assert found[-1] == "sessions/desk.recon.json::session::readable"
    assert len(found) == 7


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--recon-session=.", "desk.recon.json"), 7),
        (("--recon-session=desk.recon.json", "--recon-session=./desk.recon.json"), 7),
        (("--recon-session=.", "--recon-session=link.recon.json"), 7),
        (("desk.recon.json", "desk.recon.json"), 7),
        (("--recon-session=desk.recon.json", "desk.recon.json::cash::EUR"), 1),
    ],
)
def test_a_file_reached_twice_runs_once(
    pytester: pytest.Pytester, arguments: tuple[str, ...], expected: int
) -> None:
    """By two names, twice by one, or through a link."""
    write_clear(pytester.path / "desk.recon.json")
    (pytester.path / "link.recon.json").symlink_to("desk.recon.json")
    assert len(ran(pytester, *arguments)) == expected


def test_workers_give_the_same_node_ids(pytester: pytest.Pytester) -> None:
    """Also for keys that pytest-xdist would take apart at `@`."""
    symbols = dict.fromkeys(KEYS_TO_GIVE_BACK, "1")
    write_session(pytester.path / "desk.recon.json", positions=symbols)
    expected = collected(pytester, "--recon-session=desk.recon.json")
    for distribution in ("load", "loadgroup"):
        result = run_pytest(
            pytester,
            "--recon-session=desk.recon.json",
            "-n2",
            f"--dist={distribution}",
            "-v",
            subprocess=True,
        )
        lines = [line.split() for line in result.outlines if "PASSED" in line]
        assert sorted(line[-1] for line in lines) == sorted(expected)


def test_a_directory_with_a_session_is_named_by_its_file(pytester: pytest.Pytester) -> None:
    """The anchor is a file, because pytest refuses `directory::item`."""
    write_clear(pytester.path / "run" / "session.recon.json")
    found = collected(pytester, "--recon-session=run")
    assert {node_id.partition("::")[0] for node_id in found} == {"run/session.recon.json"}


TEXT = st.text(min_size=1, max_size=40) | st.text("a:%,[]@ \u00e4\u0308", min_size=1, max_size=8)
LONG_TEXT = st.builds(lambda text, times, end: text * times + end, TEXT, st.integers(1, 80), TEXT)
SYMBOLS = TEXT | LONG_TEXT | st.text(st.characters(categories=["Cs", "Cc", "Cf"]), min_size=1)


@given(SYMBOLS, SYMBOLS)
@example("a::b", "a%3A%3Ab")
@example("a:::", "a:%3A%3A")
@example(":::", "%3A%3A:")
@example("\u00e4", "a\u0308")
@example("x" * 200, "x" * 201)
def test_two_symbols_never_share_a_key(one: str, other: str) -> None:
    """Encoding loses nothing, and the hash keeps overlong keys apart."""
    assert (encode_key(one) == encode_key(other)) == (one == other)


@given(SYMBOLS)
def test_a_key_is_printable_ascii_without_separators(symbol: str) -> None:
    """It can stand in a node id, in a URL and in a log line."""
    key = encode_key(symbol)
    assert 0 < len(key) <= LONGEST_KEY
    assert key.isascii()
    assert key.isprintable()
    assert not set(key) & set("[]@, ")
    assert "::" not in key


# What a model takes for a name; half a character is refused there.
NAMES = SYMBOLS.filter(lambda symbol: not any("\ud800" <= each <= "\udfff" for each in symbol))


@given(st.lists(st.tuples(NAMES, st.sampled_from([None, "a", "b,leg=LONG"]))), st.data())
def test_positions_never_share_a_node_id(
    pairs: list[tuple[str, str | None]], data: st.DataObject
) -> None:
    """Of a whole session: symbol, leg and account together name one position."""
    legs = data.draw(st.lists(st.sampled_from(Leg), min_size=len(pairs), max_size=len(pairs)))
    rows = {
        (symbol, account, leg): Position(symbol, Decimal(1), account=account, leg=leg)
        for (symbol, account), leg in zip(pairs, legs, strict=True)
    }
    side = SideRecord(datetime(2026, 1, 1, tzinfo=UTC), positions=tuple(rows.values()), cash=())
    recorded = RecordedSession("desk", Path("desk"), internal=side, external=side)
    identities = [comparison.identity for comparison in pair(recorded, compared_views(recorded))]
    assert len(set(identities)) == len(identities) == len(rows) + len(CHECKS)


def test_the_session_id_is_no_part_of_a_node_id(pytester: pytest.Pytester) -> None:
    """An id that changes from run to run leaves the names of the items alone."""
    found = []
    for session_id in ("one", "two"):
        write_session(pytester.path / "desk.recon.json", session_id=session_id)
        found.append(collected(pytester, "--recon-session=desk.recon.json"))
    assert found[0] == found[1]
