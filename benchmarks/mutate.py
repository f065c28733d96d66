"""What `recon mutate` costs against one run of the gate on the same session, by CPU time.

    python benchmarks/mutate.py [--runs 3] [--fills 1000]

A session of spot fills, in which the exchange states its balances alone (`states`) or lists its
fills too (`rows`). Every figure is the CPU time (user and system) of a whole process, the median of
some runs; `recon check` and `recon mutate` are interleaved. The ratio is that of 100 mutants, those
of the table: the runs that look for the smallest size are part of the time. Ends with 1 where a
target is missed: at most 20, with the causes searched for and without.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

from figures import Figures, json_option
from measured import cpu_seconds

TARGET = 20.0
"""Runs of the gate that 100 mutants may cost."""
START = datetime(2026, 1, 1, tzinfo=UTC)
OPENING = Decimal("100000000.00")
CENT = Decimal("0.01")
SYMBOLS = ("BTC/USDT", "ETH/USDT")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--fills", type=int, default=1000)
    json_option(parser)
    options = parser.parse_args()
    found = Figures(
        "mutate",
        "Mutants",
        f"recon mutate against recon check of the same session of {options.fills:,} spot fills; "
        "the exchange states balances (states) or balances and fills (rows).",
        "python benchmarks/mutate.py",
    )
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place)
        (directory / "pytest.ini").touch()
        ratios = [
            measured(directory, rows, effort, options, found)
            for rows in ("states", "rows")
            for effort in ("off", "fast")
        ]
    found.write(options.json)
    return 0 if max(ratios) <= TARGET else 1


def measured(
    directory: Path, rows: str, effort: str, options: argparse.Namespace, found: Figures
) -> float:
    """Print what a session costs, and return the ratio of 100 mutants."""
    fills, runs = options.fills, options.runs
    path = directory / f"{rows}.recon.json"
    path.write_text(json.dumps(session(fills, with_rows=rows == "rows")), encoding="utf-8")
    command = [sys.executable, "-m", "recon_core.cli"]
    mutate = [*command, "mutate", path.name, "--explain", effort]
    mutants = counted([*mutate, "--format", "json"], directory)
    gate, whole = [], []
    for _ in range(runs):
        gate.append(cpu_seconds([*command, "check", path.name], directory, 0))
        whole.append(cpu_seconds(mutate, directory, 0))
    one, all_of = statistics.median(gate), statistics.median(whole)
    ratio = all_of / one * 100 / mutants
    verdict = "ok" if ratio <= TARGET else "MISSED"
    print(
        f"{fills} fills, {rows}, --explain {effort}: recon check {one:.2f} s, recon mutate "
        f"{all_of:.2f} s for {mutants} mutants: 100 cost {ratio:.1f} runs "
        f"(at most {TARGET:g}) {verdict}"
    )
    case = f"{rows}, --explain {effort}"
    found.add(case, "recon check", one, "s")
    found.add(case, "recon mutate", all_of, "s")
    found.add(case, "mutants", mutants, "count")
    found.add(case, "100 mutants : recon check", ratio, at_most=TARGET)
    return ratio


def counted(command: list[str], directory: Path) -> int:
    """Return the number of mutants in the table."""
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    return int(answer["caught"]) + int(answer["passed"]) + int(answer["unchanged"])


def session(count: int, *, with_rows: bool) -> dict[str, object]:
    """Return a clear session of spot fills in two symbols."""
    dice = random.Random(count)  # noqa: S311  # no secret
    fills = [fill(number, dice) for number in range(count)]
    held = dict.fromkeys(SYMBOLS, Decimal(0))
    cash = OPENING
    for one in fills:
        sign = 1 if one["side"] == "BUY" else -1
        quantity = Decimal(one["quantity"])
        held[one["symbol"]] += sign * quantity
        value = (quantity * Decimal(one["price"])).quantize(CENT, ROUND_HALF_EVEN)
        cash -= sign * value + Decimal(one["fee"])
    as_of = text(count + 1)
    instruments = {
        symbol: {"kind": "spot", "base": symbol[:3], "quote": "USDT", "settlement": "USDT"}
        for symbol in SYMBOLS
    }
    external: dict[str, object] = {
        "as_of": as_of,
        "positions": {symbol: str(quantity) for symbol, quantity in held.items()},
        "cash": {"USDT": str(cash)},
    }
    opening = {"as_of": text(0), "cash": {"USDT": str(OPENING)}}
    return {
        "schema": "recon.session/1",
        "session_id": "benchmark",
        "instruments": instruments,
        "currencies": {"USDT": {"precision": 2}},
        "internal": {"as_of": as_of, "opening": opening, "fills": fills},
        "external": {**external, **({"fills": fills} if with_rows else {})},
    }


def fill(number: int, dice: random.Random) -> dict[str, str]:
    """Return one fill with a fee of 0.1 %."""
    quantity = Decimal(dice.randrange(1, 400)).scaleb(-3)
    price = Decimal(dice.randrange(3_000_000, 6_000_000)).scaleb(-2)
    return {
        "fill_id": f"f{number}",
        "client_order_id": f"o{number // 2}",
        "symbol": dice.choice(SYMBOLS),
        "side": dice.choice(("BUY", "SELL")),
        "quantity": str(quantity),
        "price": str(price),
        "fee": str((quantity * price / 1000).quantize(CENT, ROUND_HALF_EVEN)),
        "fee_currency": "USDT",
        "time": text(number + 1),
    }


def text(seconds: int) -> str:
    """Return a time of the session."""
    return f"{START + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    sys.exit(main())
