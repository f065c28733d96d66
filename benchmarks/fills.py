"""What a session of many fills costs: read, replayed and matched, against json.loads.

    python benchmarks/fills.py [--fills 100000] [--runs 5] [--kind spot|linear|inverse] [--apart]

Writes a native session with that many fills on each side, and takes the CPU time of each
step in a process of its own, the median of some runs; `json.loads` of the same file, in
the same process, is the unit. Ends with 1 where these steps take more than 8 times as long
or more than 1 GiB. Judging, which digests what is folded, is shown besides.

Both sides state the same fills; with `--apart` in other words: the external side has order
ids of its own and amounts with more zeros, so that no work on one side serves the other.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from figures import Figures, json_option
from measured import options_or_measure, steps

TARGET, OTHERS = 2.5, 8.0
"""Bounds on spot fills that both sides state in the same words, and on all others."""
MOST_KIB = 1024 * 1024
SMALL = "small.recon.json"
START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = ("read", "replay", "match")


def document(count: int, kind: str, *, apart: bool = False) -> dict[str, Any]:
    """A session of two sides with the same fills: a seeded random walk, never flat for long."""
    walk, cents, fills = random.Random(7), 4_200_000, []  # noqa: S311
    for number in range(count):
        cents += walk.randint(-300, 300)
        units = walk.randint(1, 200_000_000)
        fills.append(
            {
                "fill_id": f"f{number}",
                "client_order_id": f"o{number // 2}",
                "symbol": "BTC/EUR",
                "side": walk.choice(["BUY", "SELL"]),
                "quantity": f"{units // 10**8}.{units % 10**8:08}",
                "price": f"{cents // 100}.{cents % 100:02}",
                "fee": f"{units * cents // 10**13}.{units * cents // 10**5 % 10**8:08}",
                "fee_currency": "EUR",
                "time": (START + timedelta(milliseconds=37 * number)).isoformat()[:-6] + "Z",
            }
        )
    as_of = (START + timedelta(days=1)).isoformat()[:-6] + "Z"
    side = {"as_of": as_of, "opening": {"cash": {"EUR": "1000000000.00"}}, "fills": fills}
    other = {**side, "fills": [_in_other_words(fill) for fill in fills]} if apart else side
    instrument = {"kind": kind, "base": "BTC", "quote": "EUR"}
    currencies = {"EUR": {"precision": 8}, "BTC": {"precision": 8}}
    head = {"schema": "recon.session/1", "session_id": "fills", "currencies": currencies}
    return {**head, "instruments": {"BTC/EUR": instrument}, "internal": side, "external": other}


def _in_other_words(fill: dict[str, str]) -> dict[str, str]:
    order = {"exchange_order_id": f"x{fill['client_order_id']}"}
    told = {name: value for name, value in fill.items() if name != "client_order_id"}
    return {**told, **order, **{name: f"{fill[name]}00" for name in ("quantity", "price", "fee")}}


def measure(path: Path) -> dict[str, float]:
    """The CPU seconds of every step, and the most memory, of this process."""
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.ledger.replay import replay_sides
    from recon_core.plugins.manager import extension_manager
    from recon_core.policy import Policy
    from recon_core.sessions import read_session
    from recon_core.values.memory import without_collecting

    taken: dict[str, float] = {}
    step = steps(taken)

    manager, text = extension_manager(), path.read_text(encoding="utf-8")
    Reconciliation(read_session(path.with_name(SMALL), manager), Policy())
    step("json.loads", lambda: json.loads(text))
    recorded = step("read", lambda: read_session(path, manager))
    # As reconcile_session does it.
    with without_collecting():
        step("replay", lambda: replay_sides(recorded))
        reconciliation = step("match", lambda: Reconciliation(recorded, Policy()))
    # A reconciliation replays the sides itself.
    taken["match"] = max(0.0, taken["match"] - taken["replay"])
    step("judge", lambda: (reconciliation.judgements, reconciliation.notes))
    taken["KiB"] = float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return taken


def main() -> int:
    """Measure, print the share of each step, and say whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--kind", choices=("spot", "linear", "inverse"), default="spot")
    parser.add_argument("--apart", action="store_true")
    json_option(parser)
    options = options_or_measure(parser, measure)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "fills.recon.json"
        session = document(options.fills, options.kind, apart=options.apart)
        path.write_text(json.dumps(session), encoding="utf-8")
        small = document(2_000, options.kind, apart=options.apart)
        path.with_name(SMALL).write_text(json.dumps(small), encoding="utf-8")
        command = [sys.executable, __file__, "--measure", str(path)]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(options.runs)]
    taken = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return _report(options, taken)


def _report(options: argparse.Namespace, taken: dict[str, float]) -> int:
    case = f"{options.kind}, apart" if options.apart else options.kind
    found = Figures(
        f"fills-{case.replace(', ', '-')}",
        "A session of many fills",
        f"A session in JSON with {options.fills:,} fills a side: CPU time of each step against "
        "json.loads of the same file in the same process. Apart: the sides state their fills in "
        "other words, so that no work on one side serves the other.",
        f"python benchmarks/fills.py --kind {options.kind}{' --apart' if options.apart else ''}",
    )
    unit = taken["json.loads"]
    found.add(case, "json.loads", unit, "s")
    print(f"json.loads  {unit:6.2f} s")
    for name in (*STEPS, "judge"):
        found.add(case, name, taken[name] / unit)
        print(f"{name:<10}  {taken[name]:6.2f} s  {taken[name] / unit:5.1f}")
    total = sum(taken[name] for name in STEPS) / unit
    most = TARGET if case == "spot" else OTHERS
    met = found.add(case, "read, replay and match", total, at_most=most)
    print(f"together          {total:9.2f}  (at most {most:g}, without judging)")
    found.add(case, "memory at the peak", taken["KiB"] / 1024, "MiB", at_most=MOST_KIB / 1024)
    print(f"memory      {taken['KiB'] / 1024:6.0f} MiB")
    found.write(options.json)
    return int(not met or taken["KiB"] > MOST_KIB)


if __name__ == "__main__":
    sys.exit(main())
