"""Aliases: one thing under two names becomes one key, and never by accident."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model import (
    CashBalance,
    Currency,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Opening,
    Position,
    SideRecord,
    Snapshot,
)
from recon_core.policy import Policy
from recon_core.policy.aliases import Aliases
from recon_core.values.errors import SessionError

from .builders import (
    AS_OF,
    checks,
    document,
    fill,
    order,
    reconciled,
    side,
    verdicts,
    write_session,
)

SPOT = Instrument("BTCUSDT.BINANCE", InstrumentKind.SPOT, "XBT", "USDT", "USDT")


def aliased(
    internal: SideRecord, external: SideRecord, names: dict[str, str] | None = None, **more: Any
) -> Reconciliation:
    """Both sides with aliases of the external one."""
    return reconciled(internal, external, Policy(aliases=Aliases({}, names or {})), **more)


def test_a_name_of_one_side_is_paired_with_the_other_s() -> None:
    """Rewards under a name of their own; positions under the engine's symbol."""
    internal = side({"BTC/USDT": "1"}, {"BTC": "0.00382642"})
    external = side({"BTCUSDT.BINANCE": "1"}, {"XBT.F": "0.00382642"})
    names = {"XBT.F": "BTC", "BTCUSDT.BINANCE": "BTC/USDT"}
    assert verdicts(aliased(internal, external, names)) == {
        "cash::BTC": "match",
        "position::BTC/USDT": "match",
    }
    assert set(verdicts(aliased(internal, external)).values()) == {"FAIL"}


def test_every_row_of_the_side_is_renamed() -> None:
    """Positions, cash, orders, fills with their fees, movements, opening and snapshots."""
    position, balance = Position("A", Decimal(1)), CashBalance("X", Decimal(1))
    record = side(
        (position,),
        (balance,),
        orders=(order("o1", "1", "1", symbol="A"),),
        fills=(fill("f1", "BUY", "1", "1", "1 X", symbol="A", client_order_id="o1"),),
        movements=(
            Movement("m1", MovementKind.DEPOSIT, AS_OF, currency="X", amount=Decimal(1)),
            Movement("m2", MovementKind.SPLIT, AS_OF, symbol="A", quantity=Decimal(1)),
        ),
        opening=Opening(None, (position,), (balance,)),
        snapshots=(Snapshot(AS_OF, (position,), (balance,)),),
    )
    found = aliased(record, record.__class__(AS_OF), {})
    policy = Policy(aliases=Aliases({"A": "B", "X": "Y"}, {}))
    renamed = Reconciliation(found.recorded, policy).recorded.internal
    assert renamed is not None
    told = repr(renamed)
    assert "'A'" not in told
    assert "'X'" not in told
    assert told.count("'B'") == 6
    assert told.count("'Y'") == 5


def test_only_the_named_side_is_renamed() -> None:
    """The internal side may use the same word for something else."""
    both = side({"A": "1"}, {})
    found = reconciled(both, replace(both), Policy(aliases=Aliases({"A": "B"}, {})))
    assert set(verdicts(found)) == {"position::A", "position::B"}


def test_aliases_are_applied_at_once() -> None:
    """Two names may be exchanged; the new one is not looked up again."""
    internal, external = side({"A": "1", "B": "2"}, {}), side({"A": "2", "B": "1"}, {})
    found = aliased(internal, external, {"A": "B", "B": "A"})
    assert set(verdicts(found).values()) == {"match"}


def test_a_mirror_stays_a_mirror() -> None:
    """A copy of the internal side is renamed as the internal side is."""
    one = side({"A": "1"}, {"X": "1"})
    policy = Policy(aliases=Aliases({"A": "B"}, {"X": "Z"}))
    found = reconciled(one, one, policy, mirrored=True)
    assert verdicts(found) == {"position::B": "match", "cash::X": "match"}


def legs(*names: tuple[str, Leg]) -> SideRecord:
    return side(tuple(Position(name, Decimal(1), leg=leg) for name, leg in names), ())


MERGED = [
    ("cash", side({}, {"XBT.F": "1", "BTC": "0"}), "cash"),
    ("positions", side({"XBT.F": "1", "BTC": "1"}, {}), "positions"),
    (
        "fills",
        side(
            {},
            {},
            fills=(
                fill("1", "BUY", "1", "1", symbol="XBT.F"),
                fill("1", "BUY", "1", "1", symbol="BTC"),
            ),
        ),
        "fills",
    ),
    (
        "the opening",
        side(
            {},
            {},
            opening=Opening(
                None, (), (CashBalance("BTC", Decimal(1)), CashBalance("XBT.F", Decimal(1)))
            ),
        ),
        "opening.cash",
    ),
    (
        "a snapshot",
        side(
            {},
            {},
            snapshots=(
                Snapshot(AS_OF),
                Snapshot(AS_OF, (Position("BTC", Decimal(1)), Position("XBT.F", Decimal(1)))),
            ),
        ),
        "snapshots[1].positions",
    ),
]


@pytest.mark.parametrize(
    ("external", "where"), [row[1:] for row in MERGED], ids=[row[0] for row in MERGED]
)
def test_two_names_that_become_one_are_an_error(external: SideRecord, where: str) -> None:
    """Nothing is merged: the message names both names and the place."""
    with pytest.raises(SessionError) as raised:
        aliased(side({}, {}), external, {"XBT.F": "BTC"})
    message = str(raised.value)
    assert message.startswith(f"s.recon.json: external.{where}: ")
    assert "'XBT.F'" in message
    assert "both become 'BTC' by the aliases of the policy" in message


def test_such_an_error_is_one_critical_item(tmp_path: Path) -> None:
    """The session cannot be judged; the other sessions of the run can."""
    one = {"as_of": "2026-01-01T12:00:00Z", "positions": {}, "cash": {"XBT\x1b": "1", "BTC": "1"}}
    path = write_session(tmp_path, document(external=one))
    found = reconcile_session(path, Policy(aliases=Aliases({}, {"XBT\x1b": "BTC"})))
    assert [each.verdict for each in found.judgements] == ["CRITICAL"]
    assert "'XBT\\x1b' and 'BTC' both become 'BTC'" in found.judgements[0].message


def test_two_names_on_two_legs_stay_two() -> None:
    """What differs in another part of its key is not merged, so nothing is wrong."""
    external = legs(("XBT.F", Leg.LONG), ("BTC", Leg.SHORT))
    found = aliased(legs(("BTC", Leg.LONG), ("BTC", Leg.SHORT)), external, {"XBT.F": "BTC"})
    assert set(verdicts(found).values()) == {"match"}


def test_fills_that_were_replayed_are_replayed_under_their_own_names() -> None:
    """An alias changes what is paired, not what a side's fills give."""
    fills = (fill("1", "BUY", "1", "100", "0 USDT", symbol="BTCUSDT.BINANCE"),)
    opening = Opening(None, (), (CashBalance("USDT", Decimal(100)),))
    external = SideRecord(as_of=AS_OF, fills=fills, opening=opening)
    names = {"BTCUSDT.BINANCE": "BTC/USDT", "XBT": "BTC"}
    found = aliased(
        side({"BTC/USDT": "1"}, {"BTC": "1", "USDT": "0"}),
        external,
        names,
        instruments={"BTCUSDT.BINANCE": SPOT},
        currencies={"XBT": Currency("XBT", 8)},
    )
    assert set(verdicts(found).values()) == {"match"}
    assert found.recorded.instruments["BTC/USDT"] == replace(SPOT, symbol="BTC/USDT", base="BTC")
    assert found.recorded.currencies["BTC"] == Currency("BTC", 8)


def test_the_summary_says_which_aliases_were_used() -> None:
    """One that met nothing is not mentioned."""
    found = aliased(side({}, {"BTC": "1"}), side({}, {"XBT": "1"}), {"XBT": "BTC", "no": "BTC"})
    assert "alias: external 'XBT' is compared as 'BTC'" in found.notes
    assert not any("'no'" in note for note in found.notes)


def notes_of(reconciliation: Reconciliation) -> dict[str, tuple[str, ...]]:
    found = {
        diff.identity: tuple(note for note in diff.notes if note.startswith("probable alias"))
        for diff in reconciliation.diffs
    }
    return {identity: notes for identity, notes in found.items() if notes}


def test_a_probable_alias_is_a_note_on_both_diffs() -> None:
    """Equal amounts under two one-sided names; a balance of 0 counts as none."""
    found = reconciled(
        side({"A": "1.50", "OTHER": "3"}, {"BTC": "0.00382642"}),
        side({"B": "1.5", "C": "4"}, {"XBT.F": "0.00382642", "BTC": "0"}),
    )
    advice = "the policy's [aliases] can say that they are one"
    assert notes_of(found) == {
        "position::A": (f"probable alias: external has the same amount as 'B'; {advice}",),
        "position::B": (f"probable alias: internal has the same amount as 'A'; {advice}",),
        "cash::BTC": (f"probable alias: external has the same amount as 'XBT.F'; {advice}",),
        "cash::XBT.F": (f"probable alias: internal has the same amount as 'BTC'; {advice}",),
    }
    assert set(verdicts(found).values()) == {"FAIL"}


@pytest.mark.parametrize(
    ("internal", "external"),
    [
        (side({"A": "1"}, {}), side({"B": "2"}, {})),
        (side({"A": "1"}, {}), side({"B": "-1"}, {})),
        (side({"A": "0"}, {}), side({"B": "0"}, {})),
        (side({"A": "1", "B": "1"}, {}), side({"B": "1"}, {})),
        (side({"A": "1"}, {}), side({}, {"B": "1"})),
        (legs(("A", Leg.LONG)), legs(("B", Leg.SHORT))),
    ],
)
def test_what_is_no_probable_alias(internal: SideRecord, external: SideRecord) -> None:
    """Another amount, sign, leg or kind, nothing at all, or a name that both sides have."""
    assert notes_of(reconciled(internal, external)) == {}


def test_many_candidates_are_one_short_note() -> None:
    """Ten names with the same amount on each side: three are named, the rest counted."""
    internal = side({f"A{number}": "1" for number in range(10)}, {})
    external = side({f"B{number}": "1" for number in range(10)}, {})
    (note,) = notes_of(reconciled(internal, external))["position::A0"]
    assert "as 'B0' and 'B1' and 'B2' and 7 more;" in note


@pytest.mark.parametrize("missing", ["internal", "external"])
def test_a_side_that_is_missing_has_no_names(missing: str) -> None:
    """Aliases for both sides change the one that there is; the other stays missing."""
    sides: dict[str, SideRecord | None] = {
        "internal": side({"A": "1"}),
        "external": side({"A": "1"}),
    }
    policy = Policy(aliases=Aliases({"A": "B"}, {"A": "B"}))
    found = reconciled(**{**sides, missing: None}, policy=policy)
    assert getattr(found.recorded, missing) is None
    (kept,) = (record for record in (found.recorded.internal, found.recorded.external) if record)
    assert [row.symbol for row in kept.positions or ()] == ["B"]
    assert checks(found)["coverage"] == "FAIL"
