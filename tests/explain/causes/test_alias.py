"""A side that calls something otherwise: the policy mends it, and no booking."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import entries_of, explain
from recon_core.explain.causes.alias import currencies_of_rows, renamed_currencies
from recon_core.model import CashBalance, Fill, LedgerSide, Movement, MovementKind, SideRecord
from recon_core.model.explanation import Explanation
from recon_core.policy import Policy
from recon_core.policy.aliases import Aliases
from recon_core.policy.toml_file import read_policy
from recon_core.reports.explanations import alias_lines
from recon_core.values.errors import ReconError
from tests.core.builders import CENTS, order, recorded, side
from tests.explain.problems import prover_of
from tests.explain.real_sessions import INSTRUMENTS, books, moved, session, silent
from tests.explain.spot_ledgers import trade

ROWS = (trade("f1", "BUY", "1", "100", -900), trade("f2", "SELL", "0.25", "110", -800))
LOST = trade("f3", "BUY", "2", "90", -700)
ORDERS = (
    order("o-f1", "1", "1"),
    replace(order("o-f2", "0.25", "0.25"), side=ROWS[1].side),
)
ODD = 'BTC "€"\\\x7f,1'


def exchange(*rows: Fill, symbol: str = "BTC/EUR", coin: str = "BTC") -> SideRecord:
    """The state of the rows, under names of the exchange's own."""
    given = silent(books(*rows))
    return replace(
        given,
        positions=tuple(replace(row, symbol=symbol) for row in given.positions or ()),
        cash=tuple(
            replace(row, currency=coin) if row.currency == "BTC" else row
            for row in given.cash or ()
        ),
    )


def with_orders(symbol: str) -> SideRecord:
    """An exchange that has its own name in the report of its orders, too."""
    orders = tuple(replace(each, symbol=symbol) for each in ORDERS)
    return replace(exchange(*ROWS, symbol=symbol), orders=orders)


def with_coin(coin: str) -> SideRecord:
    """A ledger that states its balances itself, one of them under another name."""
    return replace(exchange(*ROWS, coin=coin), positions=exchange(*ROWS).positions)


CASES: dict[str, tuple[SideRecord, SideRecord, dict[str, dict[str, str]]]] = {
    "a symbol": (
        books(*ROWS), exchange(*ROWS, symbol="XBT"), {"external": {"XBT": "BTC/EUR"}},
    ),
    "a symbol, in orders as well": (
        books(*ROWS, *ORDERS), with_orders("XBT"), {"external": {"XBT": "BTC/EUR"}},
    ),
    "a currency": (books(*ROWS), exchange(*ROWS, coin="XBT"), {"external": {"XBT": "BTC"}}),
    "a currency of the ledger, which gives no rows": (
        with_coin("XBT"), books(*ROWS), {"internal": {"XBT": "BTC"}},
    ),
    "both": (
        books(*ROWS), exchange(*ROWS, symbol="XBTEUR", coin="XBT"),
        {"external": {"XBT": "BTC", "XBTEUR": "BTC/EUR"}},
    ),
    "a name that TOML has to escape": (
        books(*ROWS), exchange(*ROWS, symbol=ODD), {"external": {ODD: "BTC/EUR"}},
    ),
    "a symbol, and a fill is lost": (
        books(*ROWS), exchange(*ROWS, LOST, symbol="XBT"), {},
    ),
}  # fmt: skip


def policy_of(one: Explanation, directory: Path) -> Policy:
    """The policy that an explanation asks for, read from the lines it gives."""
    path = directory / "recon.toml"
    path.write_text("\n".join(["[aliases]", *alias_lines(one.aliases)]), encoding="utf-8")
    return read_policy(path)


@pytest.mark.parametrize("name", CASES)
def test_the_policy_mends_it(tmp_path: Path, name: str) -> None:
    """Every diff goes with the lines that are given, and there is no entry to write."""
    internal, external, aliases = CASES[name]
    before = session(internal, external)
    (one,) = explain(before)
    assert {str(each): dict(names) for each, names in one.aliases.items()} == aliases
    if not aliases:
        assert str(one.verdict) != "unique"
        return
    assert (str(one.verdict), one.repair) == ("unique", ())
    assert one.proof.startswith("reconciled again with the other side's names: ")
    assert set(one.explains) == {diff.identity for diff in before.diffs}
    (line,) = alias_lines(one.aliases)
    with pytest.raises(ReconError) as refused:
        entries_of(before, one)
    assert str(refused.value).endswith(f"in the policy, [aliases] {line}")
    assert "\n" not in str(refused.value)
    known = {each.symbol: each for each in INSTRUMENTS}
    again = recorded(internal, external, instruments=known)
    assert Reconciliation(again, policy_of(one, tmp_path)).diffs == []
    assert Explanation.from_dict(one.to_dict()) == one


def test_a_fault_beside_a_name_is_repaired_after_it(tmp_path: Path) -> None:
    """Entries are in the names that are compared: the policy comes first."""
    lacking = [replace(row, fee=Decimal(0)) if row is ROWS[0] else row for row in (*ROWS, LOST)]
    internal, external = books(*lacking), exchange(*ROWS, LOST, symbol="XBT")
    (one,) = explain(session(internal, external))
    assert [str(cause.cause_kind) for cause in one.causes] == ["alias", "missing_fee"]
    assert (str(one.verdict), one.repair) == ("unique", ())
    known = {each.symbol: each for each in INSTRUMENTS}
    both = recorded(internal, external, instruments=known)
    (rest,) = explain(Reconciliation(both, policy_of(one, tmp_path)))
    assert [each.action for each in rest.repair] == ["remove_fill", "add_fill"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, {"XBT": "BTC/EUR"}),
        ({"LTC": "LTC/EUR"}, {"LTC": "LTC/EUR", "XBT": "BTC/EUR"}),
        ({"PI_XBT": "XBT"}, {"PI_XBT": "BTC/EUR", "XBT": "BTC/EUR"}),
    ],
)
def test_what_the_policy_has_already_stays(
    tmp_path: Path, known: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    """The line of a side stands in place of the one that it has; names are mapped once."""
    written = exchange(*ROWS, symbol=next((own for own, it in known.items() if it == "XBT"), "XBT"))
    instruments = {each.symbol: each for each in INSTRUMENTS}
    both = recorded(books(*ROWS), written, instruments=instruments)
    before = Reconciliation(both, replace(Policy(), aliases=Aliases(external=known)))
    (one,) = explain(before)
    assert [dict(names) for names in one.aliases.values()] == [expected]
    assert Reconciliation(both, policy_of(one, tmp_path)).diffs == []


def test_two_names_that_would_become_one_are_no_alias(tmp_path: Path) -> None:
    """The ledger has a balance of that name besides, so that the exchange's is mapped."""
    mine = side((), {"XBT": "2", "BTC": "0", "EUR": "10"})
    theirs = side((), {"BTC": "2", "EUR": "10"})
    (one,) = explain(session(mine, theirs))
    assert {str(each): dict(names) for each, names in one.aliases.items()} == {
        "external": {"BTC": "XBT"}
    }
    both = recorded(mine, theirs)
    assert Reconciliation(both, policy_of(one, tmp_path)).diffs == []


DEPOSIT = moved("m1", "deposit", "250 EUR", -950)
LISTED = (DEPOSIT, *ROWS, LOST)


def with_rows(name: str, *, symbol: str = "BTC/EUR") -> SideRecord:
    """An exchange that lists the rows too, with a name of its own for the euro in all of them."""
    given = silent(books(*LISTED))
    fills = (*ROWS, LOST)
    return replace(
        given,
        positions=tuple(replace(row, symbol=symbol) for row in given.positions or ()),
        cash=tuple(
            replace(row, currency=name) if row.currency == "EUR" else row
            for row in given.cash or ()
        ),
        fills=tuple(replace(row, symbol=symbol, fee_currency=name) for row in fills),
        movements=(replace(DEPOSIT, currency=name),),
    )


FAULTS: dict[str, tuple[list[Fill | Movement], list[str]]] = {
    "none": ([*LISTED], []),
    "a fill twice": ([*LISTED, replace(LOST, fill_id="f3b")], ["duplicate_fill"]),
    "a fill lost": ([row for row in LISTED if row is not LOST], ["missing_fill"]),
    "a side": (
        [replace(row, side=row.side.other) if row is LOST else row for row in LISTED],
        ["side_flipped"],
    ),
    "a fee": (
        [replace(row, fee=Decimal(0)) if row is LOST else row for row in LISTED], ["missing_fee"],
    ),
    "a deposit lost": ([*ROWS, LOST], ["missing_movement"]),
    "a deposit of another amount": (
        [replace(DEPOSIT, amount=Decimal(2500)), *ROWS, LOST], ["wrong_movement"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_currency_that_all_rows_name_otherwise(tmp_path: Path, name: str) -> None:
    """Each row of one side has another currency, and one of the other side is wrong besides."""
    ledger, kinds = FAULTS[name]
    internal, external = books(*ledger), with_rows("EUX")
    (one,) = explain(session(internal, external))
    assert str(one.verdict) == "unique", one.text
    assert [str(cause.cause_kind) for cause in one.causes] == ["alias", *kinds]
    assert {str(each): dict(names) for each, names in one.aliases.items()} == {
        "external": {"EUX": "EUR"}
    }
    known = {each.symbol: each for each in INSTRUMENTS}
    both = Reconciliation(recorded(internal, external, instruments=known), policy_of(one, tmp_path))
    assert [str(cause.cause_kind) for rest in explain(both) for cause in rest.causes] == kinds


@pytest.mark.parametrize("name", FAULTS)
def test_a_symbol_that_all_rows_name_otherwise(name: str) -> None:
    """The instrument is declared under both names."""
    ledger, kinds = FAULTS[name]
    spot = next(each for each in INSTRUMENTS if each.symbol == "BTC/EUR")
    given = with_rows("EUR", symbol="XBTEUR")
    (one,) = explain(session(books(*ledger), given, replace(spot, symbol="XBTEUR")))
    assert str(one.verdict) == "unique", one.text
    assert [str(cause.cause_kind) for cause in one.causes] == ["alias", *kinds]


def test_a_currency_of_both_sides_is_no_other_name() -> None:
    """The exchange keeps a balance of either: its fees are of another currency."""
    given = with_rows("EUX")
    kept = replace(given, cash=(*(given.cash or ()), CashBalance("EUR", Decimal(0))))
    found = explain(session(books(*LISTED), kept))
    assert all("alias" not in [str(cause.cause_kind) for cause in one.causes] for one in found)


PAIRS: dict[str, tuple[str, str, list[tuple[str | None, str | None]], dict[str, str]]] = {
    "another name": ("EUR XBT", "EUR BTC", [("XBT", "BTC")], {"XBT": "BTC"}),
    "in several rows": ("EUR XBT", "EUR BTC", [("XBT", "BTC")] * 2, {"XBT": "BTC"}),
    "a name of both": ("EUR XBT", "EUR BTC", [("EUR", "BTC")], {}),
    "the ledger's own": ("EUR BTC", "BTC USD", [("EUR", "BTC")], {}),
    "two names of one": ("EUR XBT", "BTC ETH", [("XBT", "BTC"), ("XBT", "ETH")], {}),
    "one name of two": ("XBT YBT", "EUR BTC", [("XBT", "BTC"), ("YBT", "BTC")], {}),
    "the same name": ("BTC", "EUR", [("BTC", "BTC")], {}),
    "no currency here": ("EUR", "BTC", [(None, "BTC")], {}),
    "no currency there": ("XBT", "EUR", [("XBT", None)], {}),
}


@pytest.mark.parametrize(("ours", "theirs", "pairs", "expected"), PAIRS.values(), ids=PAIRS)
def test_names_that_pairs_of_rows_agree_on(
    ours: str, theirs: str, pairs: list[tuple[str | None, str | None]], expected: dict[str, str]
) -> None:
    """Each is of its own side alone, and of one name of the other."""
    rows = [
        tuple(Movement("m", MovementKind.TRANSFER, ROWS[0].time, currency=one) for one in pair)
        for pair in pairs
    ]
    given = ((mine, right) for mine, right in rows)
    assert currencies_of_rows(ours.split(), theirs.split(), given) == expected


@pytest.mark.parametrize(
    ("mine", "other", "at_fault"),
    [
        ("EUR", "EURO", LedgerSide.EXTERNAL),
        ("XBT", "BTC", LedgerSide.INTERNAL),
        ("EUR", "BTC", LedgerSide.INTERNAL),
        ("XBT", "EURO", LedgerSide.INTERNAL),
    ],
    ids=["the ledger's", "the exchange's", "both", "neither"],
)
def test_the_side_whose_name_is_not_declared_is_at_fault(
    mine: str, other: str, at_fault: LedgerSide
) -> None:
    """It is the ledger where the session declares both names, or none."""
    known = recorded(side(cash={mine: "5"}), side(cash={other: "5"}), currencies=CENTS)
    (found,) = renamed_currencies(prover_of(known).dimensions, known, {mine: other})
    assert found.side is at_fault
    assert found.renamed == ((mine, other) if at_fault is LedgerSide.INTERNAL else (other, mine))
    assert sorted(found.correction.values()) == [-5, 5]
