"""What an explanation costs against reading and replaying the session it explains.

    python benchmarks/explain.py [--runs 3] [--only WORDS]

Writes native sessions with known faults and takes the CPU time of each step in a process
of its own, the median of some runs. The unit is reading the file and replaying its sides,
in the same process. Two settings: the ledger's rows against the positions and cash that
the exchange states (`states`), and against the exchange's fills as well (`rows`). Small sessions
that no fault explains are searched until the budget ends; their unit is reading and replaying
10,000 random fills. Ends with 1 where a target is missed, be it that nothing was found, or where
a unique answer is not the fault that was made.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

from figures import Figures, json_option
from measured import options_or_measure, steps

START = datetime(2026, 1, 1, tzinfo=UTC)
OPENING = Decimal("1000000000.00")
UNIT = Decimal("1e-8")
FEE_RATE = Decimal("0.001")
CONTRACT = Decimal(100)
"""Quote currency that one inverse contract is worth."""
MOST_SECONDS = 5.0
SMALL = "small.recon.json"
REFERENCE = "reference.recon.json"
"""10,000 random fills: what small sessions are measured by, which are read in no time."""
NOISE = "random amount"
MOST_OF_A_SMALL = 17.0
"""Limit of a search that ends at its budget, about 1.2 s where 10,000 fills take 0.07 s."""
STEPS = ("read", "replay", "reconcile", "judge", "explain")

Row = dict[str, str]


@dataclass(frozen=True)
class Case:
    """A session: its rows, its faults, and what explaining it may cost.

    `target` is in units of reading and replaying; `most` in seconds.
    """

    name: str
    rows: str
    count: int
    faults: tuple[str, ...]
    target: float | None = None
    most: float | None = None


def cases() -> Iterator[Case]:
    """Every session that is measured."""
    for rows in ("states", "rows"):
        for pair in (("duplicate_fill", "missing_fee"), ("side_flipped", "duplicate_fee")):
            yield Case("10,000 random", rows, 10_000, pair, target=1.0)
    for rows in ("states", "rows"):
        for fault in ("duplicate_fill", "missing_fee", "side_flipped", "missing_fill"):
            yield Case("100,000 random", rows, 100_000, (fault,), target=0.5)
    for name in ("equal fills", "all 0.01", "equal fees"):
        for faults in (("missing_fill",), ("side_flipped", "duplicate_fee")):
            yield Case(name, "states", 10_000, faults, most=MOST_SECONDS)
    for rows in ("states", "rows"):
        for faults in (("missing_fee",), ("duplicate_fill", "missing_fee")):
            yield Case("2,000 linear", rows, 2_000, faults)
    yield from small_cases()


def small_cases() -> Iterator[Case]:
    """Sessions that no fault explains, so that the budget ends the search."""
    for name, count in (("117 inverse", 117), ("650 linear", 650), ("1,760 random", 1_760)):
        for faults in ((NOISE,), (NOISE, "side_flipped")):
            yield Case(name, "states", count, faults, target=MOST_OF_A_SMALL)


def fills(name: str, count: int) -> list[Row]:
    """The right fills: a seeded random walk, or what makes a search hard."""
    walk, cents, rows = random.Random(7), 4_200_000, []  # noqa: S311
    for number in range(count):
        cents += walk.randint(-300, 300)
        price, quantity = Decimal(cents).scaleb(-2), Decimal(walk.randint(1, 10**8)).scaleb(-8)
        side, fee = walk.choice(["BUY", "SELL"]), None
        if name == "equal fills":
            price, quantity, side = Decimal("42000.00"), Decimal("0.50000000"), "BUY"
        elif name == "all 0.01":
            price, quantity, fee = Decimal("0.01"), Decimal("0.01"), Decimal("0.01")
        elif name == "equal fees":
            fee = Decimal("1.00")
        elif "inverse" in name:
            quantity = Decimal(walk.randint(1, 60))
            fee = (quantity * CONTRACT / price * FEE_RATE).quantize(UNIT, ROUND_HALF_EVEN)
        if fee is None:
            fee = (price * quantity * FEE_RATE).quantize(UNIT, ROUND_HALF_EVEN)
        rows.append(
            {
                "fill_id": f"f{number}",
                "client_order_id": f"o{number // 2}",
                "symbol": "BTC/EUR",
                "side": side,
                "quantity": str(quantity),
                "price": str(price),
                "fee": str(fee),
                "fee_currency": settlement(name),
                "time": text_of(START + timedelta(milliseconds=737 * number)),
            }
        )
    return rows


def settlement(name: str) -> str:
    """The currency in which the fills of a case are paid."""
    return "BTC" if "inverse" in name else "EUR"


def fundings(case: Case) -> list[Row]:
    """A payment after every fourth fill of a small session of contracts."""
    if ("linear" not in case.name and "inverse" not in case.name) or NOISE not in case.faults:
        return []
    walk = random.Random(13)  # noqa: S311
    return [
        {
            "movement_id": f"m{number}",
            "kind": "funding",
            "currency": settlement(case.name),
            "amount": str(Decimal(walk.randint(-(10**6), 10**6)).scaleb(-8)),
            "time": text_of(START + timedelta(milliseconds=737 * number + 300)),
        }
        for number in range(0, case.count, 4)
    ]


def text_of(time: datetime) -> str:
    """A time as sessions give it."""
    return time.isoformat()[:-6] + "Z"


def state(rows: list[Row], *, linear: bool) -> dict[str, Any]:
    """Positions and cash after spot fills; of a derivative the position only."""
    base, quote = Decimal(0), OPENING
    for row in rows:
        signed = Decimal(row["quantity"]) * (1 if row["side"] == "BUY" else -1)
        base += signed
        quote -= (signed * Decimal(row["price"])).quantize(UNIT, ROUND_HALF_EVEN)
        quote -= Decimal(row.get("fee", 0))
    stated = {"positions": {"BTC/EUR": str(base)}}
    return stated if linear else {**stated, "cash": {"EUR": str(quote), "BTC": str(base)}}


def faulty(rows: list[Row], faults: tuple[str, ...]) -> list[Row]:
    """The rows with faults at random places."""
    walk, changed = random.Random(11), [dict(row) for row in rows]  # noqa: S311
    for fault in faults:
        at = walk.randrange(len(changed) // 4, len(changed))
        if fault == NOISE:
            continue
        if fault == "duplicate_fill":
            changed.insert(at, dict(changed[at]))
        elif fault == "missing_fill":
            del changed[at]
        elif fault == "missing_fee":
            del changed[at]["fee"], changed[at]["fee_currency"]
        elif fault == "duplicate_fee":
            changed[at]["fee"] = str(2 * Decimal(changed[at]["fee"]))
        else:
            changed[at]["side"] = "SELL" if changed[at]["side"] == "BUY" else "BUY"
    return changed


def document(case: Case) -> dict[str, Any]:
    """The session of a case: the ledger's rows have the faults, the exchange is right."""
    right, moved = fills(case.name, case.count), fundings(case)
    kind = next((one for one in ("linear", "inverse") if one in case.name), "spot")
    linear, paid = kind != "spot", settlement(case.name)
    as_of = text_of(START + timedelta(days=1))
    opening = {"cash": {paid: str(OPENING)}}
    internal = {"as_of": as_of, "opening": opening, "fills": faulty(right, case.faults)}
    internal |= {"movements": moved} if moved else {}
    external: dict[str, Any] = {"as_of": as_of, **state(right, linear=linear)}
    if case.rows == "rows":
        external |= {"opening": opening, "fills": right}
    elif linear:
        external["cash"] = settled(right, moved, kind)
    if NOISE in case.faults:
        external["cash"][paid] = str(Decimal(external["cash"][paid]) + Decimal("137.31415927"))
    more = {"settlement": paid, "multiplier": str(CONTRACT)} if kind == "inverse" else {}
    return {
        "schema": "recon.session/1",
        "session_id": "explained",
        "currencies": {"EUR": {"precision": 8}, "BTC": {"precision": 8}},
        "instruments": {"BTC/EUR": {"kind": kind, "base": "BTC", "quote": "EUR", **more}},
        "internal": internal,
        "external": external,
    }


def settled(rows: list[Row], moved: list[Row], kind: str) -> dict[str, str]:
    """The cash of an account of derivatives, by the ledger that is measured."""
    from recon_core.ledger import PositionLedger
    from recon_core.model import Currency, Fill, Instrument, InstrumentKind, OrderSide

    paid, times = ("BTC", CONTRACT) if kind == "inverse" else ("EUR", Decimal(1))
    traded = Instrument("BTC/EUR", InstrumentKind(kind), "BTC", "EUR", paid, times)
    ledger = PositionLedger(
        {paid: OPENING},
        instruments={"BTC/EUR": traded},
        currencies={paid: Currency(paid, 8)},
    )
    for row in rows:
        ledger.apply_fill(
            Fill(
                fill_id=row["fill_id"],
                symbol=row["symbol"],
                side=OrderSide(row["side"]),
                quantity=Decimal(row["quantity"]),
                price=Decimal(row["price"]),
                time=datetime.fromisoformat(row["time"]),
                fee=Decimal(row["fee"]),
                fee_currency=row["fee_currency"],
            )
        )
    funded = sum((Decimal(row["amount"]) for row in moved), Decimal(0))
    return {paid: str(ledger.balance(paid) + funded)}


def measure(path: Path) -> dict[str, Any]:
    """The CPU seconds of every step in this process, and the answer."""
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.explain import explain
    from recon_core.ledger.replay import replay_sides
    from recon_core.plugins.manager import extension_manager
    from recon_core.policy import Policy
    from recon_core.sessions import read_session
    from recon_core.values.memory import without_collecting

    taken: dict[str, Any] = {}
    step = steps(taken)

    manager = extension_manager()
    # What is imported when it is first needed counts nowhere.
    explain(Reconciliation(read_session(path.with_name(SMALL), manager), Policy()))
    if path.with_name(REFERENCE).exists():
        reference = step("unit", lambda: read_session(path.with_name(REFERENCE), manager))
        read = taken["unit"]
        step("unit", lambda: replay_sides(reference))
        taken["unit"] += read
    recorded = step("read", lambda: read_session(path, manager))
    # As reconcile_session does it.
    with without_collecting():
        step("replay", lambda: replay_sides(recorded))
        reconciliation = step("reconcile", lambda: Reconciliation(recorded, Policy()))
    step("judge", lambda: (reconciliation.judgements, reconciliation.notes))
    answer = step("explain", lambda: explain(reconciliation))
    taken["verdicts"] = sorted({str(one.verdict) for one in answer})
    taken["kinds"] = [[str(cause.cause_kind) for cause in one.causes] for one in answer]
    return taken


def show(case: Case, runs: list[dict[str, Any]], found: Figures) -> bool:
    """Print the share of every step; whether the targets are met and the answer is right."""
    taken = {name: statistics.median(run[name] for run in runs) for name in STEPS}
    unit = statistics.median(run.get("unit", run["read"] + run["replay"]) for run in runs)
    share = taken["explain"] / unit
    kinds, verdicts = runs[0]["kinds"], runs[0]["verdicts"]
    # What no fault explains has any answer but a unique one.
    expected = ["unique"] if NOISE not in case.faults else verdicts
    is_wrong = verdicts == ["unique"] and sorted(kinds[0]) != sorted(case.faults)
    missed = (case.most is not None and taken["explain"] > case.most) or (
        case.target is not None and (share > case.target or verdicts != expected)
    )
    seconds = "".join(f"{taken[name]:8.3f}" for name in STEPS)
    limit = f"{case.target:g}" if case.target is not None else ""
    limit = f"{case.most:g} s" if case.most is not None else limit
    marks = f"{' WRONG' if is_wrong else ''}{' MISSED' if missed else ''}"
    said = f"{'+'.join(case.faults)}: {', '.join(verdicts)}"
    print(f"{case.name:<15}{case.rows:<7}{seconds}{share:7.2f}{limit:>6}  {said}{marks}")
    row = f"{case.name}, {case.rows}: {', '.join(case.faults)}"
    found.add(row, "read and replay", unit, "s")
    most = {} if case.most is None else {"at_most": case.most}
    found.add(row, "explain", taken["explain"], "s", **most)
    target = {} if case.target is None else {"at_most": case.target}
    found.add(row, "share", share, **target)
    return not is_wrong and not missed


def main() -> int:
    """Measure every case, and say whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", default="", help="cases whose name or faults have these words")
    json_option(parser)
    options = options_or_measure(parser, measure)
    found = Figures(
        "explain",
        "Explanations",
        "Explaining a session with known faults, against reading and replaying it in the same "
        "process. states: the ledger's fills against positions and cash; rows: against fills too.",
        "python benchmarks/explain.py",
    )
    print(f"{'CPU seconds':<22}{''.join(f'{name:>8.7}' for name in STEPS)}  share limit")
    met = True
    for case in cases():
        if options.only not in f"{case.name} {case.rows} {'+'.join(case.faults)}":
            continue
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "explained.recon.json"
            path.write_text(json.dumps(document(case)), encoding="utf-8")
            small = document(replace(case, count=20))
            path.with_name(SMALL).write_text(json.dumps(small), encoding="utf-8")
            if NOISE in case.faults:
                reference = document(Case("10,000 random", "states", 10_000, ()))
                path.with_name(REFERENCE).write_text(json.dumps(reference), encoding="utf-8")
            command = [sys.executable, __file__, "--measure", str(path)]
            runs = [json.loads(subprocess.check_output(command)) for _ in range(options.runs)]
        met = show(case, runs, found) and met
    found.write(options.json)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
