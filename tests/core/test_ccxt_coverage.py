"""The manifest of a snapshot: what is covered, what is withheld, and what is a gap."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.model import SideRecord
from recon_core.sessions import read_session
from recon_core.sessions.formats.ccxt_transfers import transfers
from recon_core.sessions.native_text import session_text
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, document, message, write_session
from .test_ccxt import balance, order, trade


def covered(directory: Path, *queries: tuple[str, str, Any], **changes: Any) -> Path:
    """A session whose external side is a snapshot of queries: section, status, result."""
    place = directory / "account"
    place.mkdir()
    entries = []
    for number, (section, status, result) in enumerate(queries):
        entry = {"query": f"my_{section}", "of": "BTC/USDT", "section": section, "status": status}
        if status == "whole":
            text = json.dumps(result)
            (place / f"{number}.json").write_text(text)
            entry |= {"file": f"{number}.json", "sha256": hashlib.sha256(text.encode()).hexdigest()}
        entries.append(entry | {"error": "page 7: timed out" if status == "failed" else ""})
    manifest = {"schema": "recon.snapshot/1", "complete": True, "exchange": "binance"}
    manifest |= {"as_of": AS_OF_TEXT, "markets": {}, "gaps": [], "rolled_off": []}
    (place / "coverage.json").write_text(json.dumps(manifest | {"queries": entries} | changes))
    source = {"from": {"format": "ccxt", "path": "account/coverage.json"}}
    return write_session(directory, document(internal={"as_of": AS_OF_TEXT}, external=source))


def side(directory: Path, *queries: tuple[str, str, Any], **changes: Any) -> SideRecord:
    """The external side of such a session."""
    record = read_session(covered(directory, *queries, **changes)).external
    assert record is not None
    return record


CASH = ("cash", "whole", balance())


def test_an_empty_answer_is_one(tmp_path: Path) -> None:
    """A query that is whole without a row says that there is none; that is not nothing said."""
    record = side(tmp_path, CASH, ("fills", "whole", []), ("positions", "not asked", None))
    assert (record.fills, record.orders, record.positions) == ((), None, None)
    assert record.complete


@pytest.mark.parametrize("status", ["failed", "not offered"])
def test_a_part_of_a_section_is_not_reported(status: str, tmp_path: Path) -> None:
    """Trades of one symbol would look like a loss of those of the other."""
    record = side(tmp_path, CASH, ("fills", "whole", [trade()]), ("fills", status, None))
    assert record.fills is None
    assert record.cash is not None
    assert record.complete is (status == "not offered")


def test_a_gap_is_critical_and_says_what_it_is(tmp_path: Path) -> None:
    """By the name of the query; also after the session was written as one file."""
    session = covered(tmp_path, CASH, ("fills", "failed", None), gaps=["time: a clock moved"])
    text = message(reconcile_session(session), "complete")
    assert "external does not cover my fills of BTC/USDT: page 7: timed out" in text
    assert "external does not cover time: a clock moved" in text
    converted = tmp_path / "whole.recon.json"
    converted.write_text(session_text(read_session(session)))
    assert "external was cut off" in message(reconcile_session(converted), "complete")


def test_contracts_have_the_size_of_their_market(tmp_path: Path) -> None:
    """Trades and orders too, without any position that states it."""
    symbol = {"symbol": "BTC/USDT:USDT"}
    record = side(
        tmp_path,
        ("fills", "whole", [trade(**symbol, amount=3)]),
        ("orders", "whole", [order(**symbol)]),
        markets={"BTC/USDT:USDT": {"contractSize": "0.01"}, "BTC/USDT": {"contractSize": None}},
    )
    assert [str(fill.quantity) for fill in record.fills or ()] == ["0.03"]
    assert [str(each.quantity) for each in record.orders or ()] == ["0.02"]


def test_the_ledger_is_kept_for_people(tmp_path: Path) -> None:
    """Its rows are those of the other queries once more."""
    record = side(tmp_path, CASH, ("", "whole", [{"id": "l1", "amount": "5"}]))
    assert record.movements is None
    assert record.complete


def test_a_session_that_names_its_manifest_is_refused_without_it(tmp_path: Path) -> None:
    """The files alone would be results without gaps, in floats, at another time."""
    session = covered(tmp_path, CASH, ("fills", "failed", None))
    (tmp_path / "account" / "coverage.json").unlink()
    reconciliation = reconcile_session(session)
    assert "coverage.json: is missing" in message(reconciliation, "readable")
    assert [str(diff.severity) for diff in reconciliation.diffs] == ["CRITICAL"]


def test_the_directory_of_a_snapshot_is_read_by_its_manifest(tmp_path: Path) -> None:
    """It is the same side, whichever of both a session names."""
    session = covered(tmp_path, CASH, ("fills", "failed", None))
    named = read_session(session).external
    session.write_text(session.read_text().replace("account/coverage.json", "account"))
    unnamed = read_session(session).external
    assert named is not None
    assert unnamed is not None
    assert (named.cash, named.gaps, named.as_of) == (unnamed.cash, unnamed.gaps, unnamed.as_of)


@pytest.mark.parametrize(("charged", "paid_in"), [({}, "EUR"), ({"currency": "ETH"}, "ETH")])
def test_the_fee_of_a_transfer_is_a_row(charged: dict[str, str], paid_in: str) -> None:
    """In the currency that was moved where the fee names none."""
    row = {"id": "w1", "type": "withdrawal", "status": "ok", "currency": "EUR", "amount": "5"}
    moved = transfers([row | {"timestamp": 1, "fee": {"cost": "0.5", **charged}}])
    assert [(one.movement_id, one.currency, str(one.amount)) for one in moved] == [
        ("w1", "EUR", "-5"), ("w1.fee", paid_in, "-0.5"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, "deposit EUR 5"),
        ({"type": None, "symbol": "X/EUR:EUR"}, "funding EUR 5"),
        ({"type": None, "symbol": "X/EUR:EUR", "status": None}, "funding EUR 5"),
        ({"status": "pending"}, ""),
        ({"currency": None, "code": "USD"}, "deposit USD 5"),
        ({"type": "loan"}, "type: 'loan'; expected deposit or withdrawal, or funding"),
        ({"type": None}, "expected deposit or withdrawal, or funding"),
        ({"timestamp": None}, "timestamp: is unknown (null); expected a time"),
    ],
)
def test_what_a_transfer_is(changes: dict[str, Any], moved: str) -> None:
    """By its type, or a payment of funding by its symbol; only what is done has moved anything."""
    row = {"id": "d1", "type": "deposit", "status": "ok", "currency": "EUR", "amount": "5"}
    rows = [row | {"timestamp": 1} | changes]
    if "expected" in moved:
        with pytest.raises(SessionError) as caught:
            transfers(rows)
        assert str(caught.value).startswith("transfers: row 1: ")
        assert moved in str(caught.value)
    else:
        found = [f"{one.movement_kind} {one.currency} {one.amount}" for one in transfers(rows)]
        assert found == ([moved] if moved else [])


def test_rows_are_found_by_their_file(tmp_path: Path) -> None:
    """Of a trade, a balance and a transfer, by the section that the manifest names."""
    moved = {"id": "d1", "type": "deposit", "status": "ok", "currency": "EUR", "amount": "5"}
    queries = (
        CASH,
        ("fills", "whole", [trade()]),
        ("movements", "whole", [moved | {"timestamp": 1}]),
    )
    locator = side(tmp_path, *queries).locator
    assert locator is not None
    found = {
        name: path.name
        for part in ("fills", "cash", "movements")
        for name, path, _ in locator(part)
    }
    assert found["t1"] == "1.json"
    assert found["USDT"] == "0.json"
    assert found["d1"] == "2.json"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"schema": "recon.snapshot/2"}, "schema: 'recon.snapshot/2'; expected"),
        ({"complete": False}, "the snapshot was not finished"),
        ({"as_of": "noon"}, "as_of: "),
        ({"queries": None}, "queries: is missing or no list"),
        ({"queries": [{"status": "fine"}]}, "status: 'fine'; expected one of whole, failed"),
        ({"gaps": None}, "gaps: is missing or no list"),
        ({"markets": []}, "markets: is missing or no object"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    changes: dict[str, Any], text: str, tmp_path: Path
) -> None:
    """In one line that names the file, for nobody can say what would be covered."""
    with pytest.raises(SessionError, match=f"coverage.json: .*{text}"):
        side(tmp_path, CASH, **changes)
