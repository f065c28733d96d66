"""Snapshots: each side's states in between against its own rows, and against the other's."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon_core.engine.reconciliation import Reconciliation
from recon_core.ledger import PositionLedger
from recon_core.model import (
    CashBalance,
    Fill,
    Instrument,
    InstrumentKind,
    Movement,
    MovementKind,
    Numbers,
    Opening,
    Position,
    SideRecord,
    Snapshot,
)
from recon_core.policy.model import CashPolicy, Policy
from recon_core.reports.text import diff_text

from .builders import AS_OF, at, fill, fill_lists, reconciled, side, verdicts

SPOT = {"BTC/EUR": Instrument("BTC/EUR", InstrumentKind.SPOT, "BTC", "EUR", "EUR")}
OPENING = Opening(at(-100), cash=(CashBalance("EUR", Decimal(1000)),))
FILLS = (
    fill("f1", "BUY", "1", "100", time=at(-90)),
    fill("f2", "BUY", "2", "100", time=at(-80)),
    fill("f3", "SELL", "1", "100", time=at(-70)),
)
MOVED = (Movement("m1", MovementKind.DEPOSIT, at(-80), "EUR", Decimal(50)),)
END = side({"BTC/EUR": "2"}, {"BTC": "2", "EUR": "850"})
ITEM = "ledger::internal:snapshots"


def state(seconds: float, positions: Any = None, cash: Any = None) -> Snapshot:
    """A state in between, `seconds` before or after the end."""
    one = side(positions, cash)
    return Snapshot(at(seconds), one.positions, one.cash)


def speaking(*snapshots: Snapshot, **more: Any) -> SideRecord:
    """A side that gives rows, what they end in, and states in between."""
    rows = {"opening": OPENING, "fills": FILLS, "movements": MOVED, "snapshots": snapshots}
    return replace(END, **{**rows, **more})


def of(*snapshots: Snapshot, policy: Policy | None = None, **more: Any) -> Reconciliation:
    """The session of such a side, with another that agrees with its end."""
    return reconciled(speaking(*snapshots, **more), END, policy, instruments=SPOT)


def message(found: Reconciliation, item: str = ITEM) -> str:
    (judgement,) = (one for one in found.judgements if one.comparison.identity == item)
    return judgement.message


RIGHT = [
    state(-100, {}, {"EUR": "1000"}),
    state(-95, {}, {"EUR": "1000"}),
    state(-90, {"BTC/EUR": "1"}, {"EUR": "900", "BTC": "1"}),
    state(-80, {"BTC/EUR": "3"}, {"EUR": "750", "BTC": "3"}),
    state(-75, {"BTC/EUR": "3"}),
    state(-70, None, {"EUR": "850", "BTC": "2"}),
    state(10, {"BTC/EUR": "2"}, {"EUR": "850", "BTC": "2"}),
]


def test_a_snapshot_contains_the_events_of_its_time() -> None:
    """Fills and movements of the very moment are in; in whatever order they were given."""
    found = of(*RIGHT)
    assert verdicts(found)[ITEM] == "match"
    assert message(found) == (
        "ledger internal:snapshots: match, 7 snapshots follow from its own rows"
    )
    assert verdicts(of(*reversed(RIGHT)))[ITEM] == "match"
    assert verdicts(of(*RIGHT, fills=FILLS[::-1]))[ITEM] == "match"


CASES: list[tuple[str, Snapshot, str, str]] = [
    ("an event too few", state(-90, {}), "FAIL", "BTC/EUR: FAIL, internal states 0 BTC (not"),
    ("an event too many", state(-91, {"BTC/EUR": "1"}), "FAIL", "its own rows give 0 BTC (not"),
    ("a drift of 0.5 %", state(-90, {"BTC/EUR": "1.005"}), "WARN", "BTC/EUR: WARN, "),
    ("a drift of 0.05 %", state(-90, {"BTC/EUR": "1.0005"}), "INFO", "BTC/EUR: INFO, "),
    ("cash within tolerance", state(-90, None, {"EUR": "901", "BTC": "1"}), "INFO", "EUR: INFO"),
    ("cash beyond it", state(-90, None, {"EUR": "901.01", "BTC": "1"}), "FAIL", "EUR: FAIL"),
    ("a currency that is not listed", state(-90, None, {"EUR": "900"}), "FAIL", "BTC: FAIL"),
    ("a symbol that no row names", state(-90, {"BTC/EUR": "1", "X": "1"}), "FAIL", "X: FAIL"),
    ("the worst of one", state(-90, {"BTC/EUR": "2"}, {"EUR": "901"}), "FAIL", "BTC: FAIL"),
]


@pytest.mark.parametrize(
    ("wrong", "severity", "text"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
@pytest.mark.parametrize("name", ["internal", "external"])
def test_a_snapshot_is_judged_by_the_rules_of_its_section(
    wrong: Snapshot, severity: str, text: str, name: str
) -> None:
    """Either side, by the thresholds of positions and the tolerances of cash."""
    sides = {"internal": END, "external": END, name: speaking(RIGHT[0], wrong, RIGHT[-1])}
    found = reconciled(**sides, instruments=SPOT)
    item = f"ledger::{name}:snapshots"
    assert {key: one for key, one in verdicts(found).items() if key.endswith("snapshots")} == {
        item: severity
    }
    assert text.replace("internal", name) in message(found, item)


def test_the_first_is_shown_and_the_others_are_counted() -> None:
    """Time and figures of the first, the severity of the worst, and how many there are."""
    found = of(
        state(10, {"BTC/EUR": "9"}),
        state(-90, {"BTC/EUR": "1.001"}),
        RIGHT[0],
        state(-75, {"BTC/EUR": "4"}),
    )
    assert message(found) == (
        "ledger internal:snapshots: FAIL, 3 of 4 snapshots contradict its own rows; "
        "the first, of 2026-01-01T11:58:30Z: BTC/EUR: INFO, internal states 1.001 BTC, "
        "its own rows give 1 BTC, delta 0.001 BTC, drift 0.0999000999001… % "
        "(INFO below 0.1 %, FAIL above 1 %); "
        "the worst, of 2026-01-01T11:58:45Z: BTC/EUR: FAIL, internal states 4 BTC, "
        "its own rows give 3 BTC, delta 1 BTC, drift 25 % (INFO below 0.1 %, FAIL above 1 %)"
    )
    (diff,) = found.diffs
    assert (diff.identity, diff.timestamp, diff.severity) == (ITEM, AS_OF, "FAIL")
    assert (diff.internal, diff.external) == (Decimal("1.001"), Decimal(1))
    assert diff.diff_details["snapshot"] == "2026-01-01T11:58:30Z"
    assert diff.diff_details["snapshots"] == "3 of 4 snapshots"
    assert "  stated      1.001 BTC" in diff_text(diff, "s")


def test_the_policy_decides() -> None:
    """A tolerance of the policy holds for snapshots, too."""
    wrong = state(-90, None, {"EUR": "905", "BTC": "1"})
    assert verdicts(of(wrong))[ITEM] == "FAIL"
    mild = Policy(cash=CashPolicy(relative=Decimal("0.05"), absolute={"EUR": Decimal(10)}))
    assert verdicts(of(wrong, policy=mild))[ITEM] == "INFO"


def test_binary_floats_have_their_dust() -> None:
    """INFO instead of FAIL, for a currency without a tolerance of its own."""
    wrong = state(-90, None, {"EUR": "900", "BTC": "1.0000001"})
    assert verdicts(of(wrong))[ITEM] == "FAIL"
    assert verdicts(of(wrong, numbers=Numbers.FLOAT))[ITEM] == "INFO"


@pytest.mark.parametrize(
    "quiet",
    [
        {"snapshots": None},
        {"snapshots": ()},
        {"snapshots": (Snapshot(at(-90)),)},
        {"opening": None},
        {"fills": None},
    ],
    ids=["not reported", "none", "one that says nothing", "no opening", "no fills"],
)
def test_there_is_nothing_to_compare(quiet: dict[str, Any]) -> None:
    """No item without a snapshot that states something, and rows that give it."""
    assert ITEM not in verdicts(of(*RIGHT, **quiet))


@pytest.mark.parametrize(("cash", "verdict"), [("1200", "match"), ("1500", "FAIL")])
def test_a_future_is_settled_by_the_mark_of_the_snapshot(cash: str, verdict: str) -> None:
    """One contract of 50, entered at 100: 104 then, and 110 at the end."""
    future = Instrument(
        "PL", InstrumentKind.FUTURE, "PL", "USD", "USD", Decimal(50), settles_daily=True
    )
    begun, then, end = ((CashBalance("USD", Decimal(one)),) for one in ("1000", cash, "1500"))
    marked = [(Position("PL", Decimal(1), mark_price=Decimal(one)),) for one in (104, 110)]
    stated = SideRecord(AS_OF, positions=marked[1], cash=end)
    ours = replace(
        stated,
        opening=Opening(at(-100), cash=begun),
        fills=(fill("f1", "BUY", "1", "100", symbol="PL", time=at(-90)),),
        snapshots=(Snapshot(at(-80), marked[0], then),),
    )
    assert verdicts(reconciled(ours, stated, instruments={"PL": future}))[ITEM] == verdict


def test_a_side_that_states_no_end_is_compared_too() -> None:
    """Positions and cash of the end are derived; the snapshots are the side's own word."""
    found = of(state(-90, {"BTC/EUR": "2"}), positions=None, cash=None)
    assert verdicts(found)[ITEM] == "FAIL"


def test_a_mirror_s_snapshots_are_looked_at_once() -> None:
    """The copy does not speak for itself."""
    one = speaking(*RIGHT)
    found = verdicts(reconciled(one, one, instruments=SPOT, mirrored=True))
    assert [key for key in found if key.endswith(":snapshots")] == [ITEM]


def test_without_instruments_positions_are_compared() -> None:
    """Cash cannot be replayed; a snapshot of cash alone is not compared."""
    wrong = state(-90, {"BTC/EUR": "2"}, {"EUR": "5"})
    cash_only = state(-90, None, {"EUR": "5"})
    found = reconciled(speaking(RIGHT[0], wrong, cash_only), END)
    assert "1 of 2 snapshots contradicts its own rows; the first, of 2026" in message(found)
    assert "BTC/EUR: FAIL, internal states 2 BTC, its own rows give 1 BTC" in message(found)
    assert ITEM not in verdicts(reconciled(speaking(cash_only), END))


def test_what_is_before_the_opening_cannot_be_told() -> None:
    """It is left out, and said; where nothing else is left, that is a WARN."""
    early = state(-200, {"BTC/EUR": "7"})
    found = of(early, *RIGHT)
    assert message(found) == (
        "ledger internal:snapshots: match, 7 snapshots follow from its own rows "
        "(1 snapshot from before its opening left out)"
    )
    assert message(of(early, early)) == (
        "ledger internal:snapshots: WARN, no snapshot was compared "
        "(2 snapshots from before its opening left out)"
    )
    untimed = replace(OPENING, as_of=None)
    assert verdicts(of(early, opening=untimed))[ITEM] == "FAIL"


def test_a_side_that_cannot_be_booked_has_one_item() -> None:
    """The refusal says it all."""
    inverse = {"BTC/EUR": replace(SPOT["BTC/EUR"], multiplier=Decimal(2))}
    found = reconciled(speaking(*RIGHT), END, instruments=inverse)
    assert [key for key in verdicts(found) if key.startswith("ledger")] == ["ledger::internal"]


def test_a_symbol_called_like_the_item_keeps_a_key_of_its_own() -> None:
    """Names stay unique, whatever is traded."""
    own = {"snapshots": Instrument("snapshots", InstrumentKind.LINEAR, "X", "EUR", "EUR")}
    rows = (replace(FILLS[0], symbol="snapshots"),)
    one = replace(END, positions=(), cash=())
    internal = replace(
        one, opening=OPENING, fills=rows, snapshots=(state(-90, {"snapshots": "1"}),)
    )
    keys = verdicts(reconciled(internal, one, instruments=own))
    assert {ITEM, f"{ITEM},kind=position"} <= keys.keys()
    coins = (replace(rows[0], fee=Decimal(1), fee_currency="snapshots"),)
    keys = verdicts(reconciled(replace(internal, fills=coins), one, instruments=own))
    assert {ITEM, f"{ITEM},kind=position", f"{ITEM},kind=cash"} <= keys.keys()


def in_account(row: Any, account: str | None) -> Any:
    return replace(row, account=account)


@pytest.mark.parametrize("others", [False, True])
def test_a_row_without_an_account_is_of_the_side_s_only_one(others: bool) -> None:  # noqa: FBT001
    """As for the rows of the end; with two accounts each is compared by itself."""
    fills = tuple(in_account(row, "a") for row in FILLS)
    opening = replace(OPENING, cash=tuple(in_account(row, "a") for row in OPENING.cash))
    moved = tuple(in_account(row, "a") for row in MOVED)
    held = tuple(in_account(row, "a") for row in END.positions or ())
    cash = tuple(in_account(row, "a") for row in END.cash or ())
    snapshot = state(-90, {"BTC/EUR": "1"}, {"EUR": "900", "BTC": "1"})
    if others:
        named = tuple(in_account(row, "a") for row in snapshot.positions or ())
        extra = Position("BTC/EUR", Decimal(5), account="b")
        snapshot = replace(snapshot, positions=(*named, extra))
    one = speaking(
        snapshot, opening=opening, fills=fills, movements=moved, positions=held, cash=cash
    )
    found = reconciled(one, END, instruments=SPOT)
    assert verdicts(found)[ITEM] == ("FAIL" if others else "match")
    assert ("BTC/EUR of account b: FAIL, internal states 5 BTC" in message(found)) == others


@given(fill_lists(), st.lists(st.integers(0, 12), min_size=1, max_size=4))
def test_what_the_replay_gives_is_never_contradicted(
    fills: Sequence[Fill], times: Sequence[int]
) -> None:
    """A ledger that is asked in between, at any time, follows from its rows."""
    timed = [replace(row, time=at(number)) for number, row in enumerate(fills)]
    snapshots = []
    for time in times:
        ledger = PositionLedger(instruments=SPOT, opening=OPENING)
        ledger.apply_fills(row for row in timed if row.time <= at(time))
        snapshots.append(Snapshot(at(time), ledger.positions, ledger.cash))
    one = replace(END, opening=OPENING, fills=tuple(timed), snapshots=tuple(snapshots))
    assert verdicts(reconciled(one, END, instruments=SPOT))[ITEM] == "match"


THEIRS = [RIGHT[0], state(-90, {"BTC/EUR": "1"}), state(-80, {"BTC/EUR": "2"})]


def notes_of(found: Reconciliation, item: str) -> list[str]:
    """The notes on a diff that are of snapshots."""
    notes = [note for diff in found.diffs if diff.identity == item for note in diff.notes]
    return [note for note in notes if note.startswith("snapshots: ")]


@pytest.mark.parametrize(
    ("ours", "theirs", "note"),
    [
        (
            RIGHT,
            THEIRS,
            (
                "both sides agree up to 2026-01-01T11:58:30Z and differ from "
                "2026-01-01T11:58:40Z on (internal 3 BTC, external 2 BTC)"
            ),
        ),
        (
            RIGHT[2:],
            [*THEIRS[2:], state(-75, {"BTC/EUR": "3"}), state(10, {})],
            (
                "both sides differ at 2026-01-01T11:58:40Z "
                "(internal 3 BTC, external 2 BTC; 1 of 2 later ones agree again)"
            ),
        ),
        (RIGHT, THEIRS[:2], "both sides agree on it up to 2026-01-01T11:58:30Z, the last"),
        (RIGHT, [state(-90.5, {"BTC/EUR": "1"})], None),
        (RIGHT, [state(-70, {"BTC/EUR": "2"})], None),
        (RIGHT, [], None),
    ],
    ids=["from one on", "in between", "not yet", "no common time", "another section", "none"],
)
def test_a_diff_says_since_when_the_sides_differ(
    ours: list[Snapshot], theirs: list[Snapshot], note: str | None
) -> None:
    """The first divergence among the snapshots that both sides have."""
    other = side({"BTC/EUR": "1"}, {"BTC": "2", "EUR": "850"}, snapshots=tuple(theirs))
    found = reconciled(speaking(*ours), other, instruments=SPOT)
    assert notes_of(found, "position::BTC/EUR") == ([] if note is None else [f"snapshots: {note}"])
    assert notes_of(found, "cash::EUR") == []


def test_cash_and_dust_of_a_divergence() -> None:
    """A balance by its total; what binary floats are off is no divergence."""
    ours = side({}, {"EUR": "10"}, snapshots=(state(-2, None, {"EUR": "1"}), state(-1, None, {})))
    theirs = side(
        {},
        {"EUR": "90"},
        snapshots=(state(-2, None, {"EUR": "1.0000001"}), state(-1, None, {"EUR": "80"})),
    )
    exact = reconciled(ours, theirs)
    assert notes_of(exact, "cash::EUR") == [
        (
            "snapshots: both sides differ from 2026-01-01T11:59:58Z on "
            "(internal 1 EUR, external 1.0000001 EUR)"
        )
    ]
    floats = reconciled(ours, replace(theirs, numbers=Numbers.FLOAT))
    assert notes_of(floats, "cash::EUR") == [
        (
            "snapshots: both sides agree up to 2026-01-01T11:59:58Z and differ from "
            "2026-01-01T11:59:59Z on (internal 0 EUR, external 80 EUR)"
        )
    ]


@pytest.mark.parametrize("section", ["positions", "cash"])
def test_a_snapshot_may_name_an_account_that_nothing_else_names(section: str) -> None:
    """The side has two accounts then, in whichever section the second one is."""
    one, two = state(-90, {"BTC/EUR": "1"}), state(-90, None, {"EUR": "900", "BTC": "1"})
    right = one if section == "positions" else two
    rows = getattr(right, section)
    others = tuple(replace(row, account="other") for row in rows[:1])
    named = tuple(replace(row, account="main") for row in rows[1:])
    assert verdicts(of(right))[ITEM] == "match"
    two_accounts = replace(right, **{section: (*others, *named)})
    own = {"positions": _in_main(END.positions), "cash": _in_main(END.cash)}
    assert verdicts(of(two_accounts, **own))[ITEM] == "FAIL"


def _in_main(rows: Any) -> Any:
    return tuple(in_account(row, "main") for row in rows)


SHARES = {"AAPL": Instrument("AAPL", InstrumentKind.EQUITY, "AAPL", "USD", "USD")}
BOUGHT = (fill("f1", "BUY", "10", "100", time=at(-90), symbol="AAPL"),)
SPLIT = (Movement("m1", MovementKind.SPLIT, at(-50), symbol="AAPL", quantity=Decimal(30)),)


@pytest.mark.parametrize(
    ("seconds", "quantity", "verdict"),
    [
        (-60, "10", "match"),
        (-60, "40", "FAIL"),
        (-50, "40", "match"),
        (-40, "40", "match"),
        (-40, "10", "FAIL"),
    ],
)
def test_a_quantity_moves_at_its_time(seconds: float, quantity: str, verdict: str) -> None:
    """A split after a snapshot is not in it, though the balance says nothing of the shares."""
    held = side({"AAPL": "40"}, {"USD": "9000"})
    opening = Opening(at(-100), cash=(CashBalance("USD", Decimal(10000)),))
    ours = replace(
        held,
        opening=opening,
        fills=BOUGHT,
        movements=SPLIT,
        snapshots=(state(-95, {}), state(seconds, {"AAPL": quantity}), state(-5, {"AAPL": "40"})),
    )
    found = reconciled(ours, held, instruments=SHARES)
    assert verdicts(found)[ITEM] == verdict
