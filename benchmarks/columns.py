"""Large tables of fills in columns: read, replayed, matched and judged, against decoding them.

    python benchmarks/columns.py [--fills 200000] [--runs 3] [--precision 2] [--peers PYTHON]

Writes a session whose sides are Parquet tables with that many spot fills, once equal and once with
breaks, and takes the CPU time of each step in a process of its own, the least of some runs.
The unit is one pass of DuckDB over every value of one table. Ends with 1 where a target is missed:
of replay and match at 10,000,000 fills, of the whole and its memory at 1,000,000.

`--peers` names a Python that has fastrecon, datacompy and pyarrow: they compare the same two files.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

MIB = 1024 * 1024
SYMBOLS = 200
QUOTES = ("EUR", "USDT", "USD", "BTC")
LARGE = 10_000_000
"""Fills a side at which replay and match are held to their targets."""
REPLAY, MATCH, LARGE_MIB = 1.5, 4.0, 2048
WHOLE, WHOLE_MIB = 12.0, 1024
LIMITS = {
    "table_rows": 10**9,
    "table_values": 10**11,
    "file_bytes": 10**12,
    "parquet_bytes": 10**12,
    "parquet_column_bytes": 10**12,
}
STEPS = ("read", "replay", "match", "judge")

_FILLS = """
SELECT lower(printf('%016x', (i * 6364136223846793005::HUGEINT % 18446744073709551557)::HUGEINT))
    AS fill_id,
  'S' || lpad((hash(i) % {symbols})::VARCHAR, 3, '0') || '/' || quote AS symbol,
  CASE WHEN hash(i + 7) % 2 = 0 THEN 'BUY' ELSE 'SELL' END AS side,
  (((1 + hash(i + 1) % 100000000)::DECIMAL(18, 0)) * 0.00000001)::DECIMAL(18, 8) AS quantity,
  (((100000 + hash(i + 2) % 9000000)::DECIMAL(18, 0)) * 0.01 {price})::DECIMAL(18, 8) AS price,
  (((hash(i + 3) % 1000000)::DECIMAL(18, 0)) * 0.00000001)::DECIMAL(18, 8) AS fee,
  CASE WHEN hash(i + 4) % 10 = 0 THEN 'BNB' ELSE quote END AS fee_currency,
  make_timestamptz(1767225600000000 + i * 1000 + (hash(i + 9) % 900)::BIGINT) AS time
FROM (SELECT i, ['EUR', 'USDT', 'USD', 'BTC'][1 + ((hash(i) % {symbols}) % 4)::INT] AS quote
      FROM range({fills}) AS t(i)) {where}
"""


def write_table(path: Path, fills: int, *, breaks: bool) -> None:
    """Write fills; with `breaks` some are missing and some have another price."""
    import duckdb

    query = _FILLS.format(
        symbols=SYMBOLS,
        fills=fills,
        price="+ (i % 9973 = 5)::INT * 0.01" if breaks else "",
        where="WHERE i % 19997 <> 3" if breaks else "",
    )
    duckdb.connect(config={"threads": 2}).execute(
        f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)"
    )


def write_session(directory: Path, fills: int, precision: int | None, *, breaks: bool) -> Path:
    """Write a session of two tables; both sides are replayed."""
    for name, is_broken in (("a", False), ("b", breaks)):
        write_table(directory / f"{name}.parquet", fills, breaks=is_broken)
    instruments = {
        f"S{number:03}/{QUOTES[number % 4]}": {
            "kind": "spot",
            "base": f"S{number:03}",
            "quote": QUOTES[number % 4],
        }
        for number in range(SYMBOLS)
    }
    currencies = {} if precision is None else {quote: {"precision": precision} for quote in QUOTES}
    sides = {
        side: {
            "as_of": "2027-01-01T00:00:00Z",
            "opening": {"cash": {"EUR": "1000000.00"}},
            "fills": {"path": f"{name}.parquet"},
        }
        for side, name in (("internal", "a"), ("external", "b"))
    }
    document = {
        "schema": "recon.session/1",
        "session_id": "columns",
        "instruments": instruments,
        "currencies": currencies,
        **sides,
    }
    path = directory / "columns.recon.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def measure(path: Path, what: str) -> dict[str, float]:
    """The CPU seconds of each step, and the most memory, of this process."""
    taken: dict[str, float] = {}

    def step(name: str, action: Callable[[], Any]) -> Any:
        before = time.process_time()
        result = action()
        taken[name] = time.process_time() - before
        return result

    if what == "decode":
        _decode(path.with_name("a.parquet"), step)
    else:
        _reconcile(path, step, rows=what == "rows", explained=what == "explained")
    taken["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return taken


def _decode(table: Path, step: Callable[[str, Callable[[], Any]], Any]) -> None:
    import duckdb

    connection = duckdb.connect()
    columns = "fill_id, symbol, side, quantity, price, fee, fee_currency, time"
    query = f"SELECT count(*), bit_xor(hash({columns})) FROM read_parquet('{table}')"
    step("decode", lambda: connection.execute(query).fetchall())


def _reconcile(
    path: Path, step: Callable[[str, Callable[[], Any]], Any], *, rows: bool, explained: bool
) -> None:
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.explain.on_demand import explainer
    from recon_core.model.explanation import Effort
    from recon_core.ledger.replay import replay_sides
    from recon_core.plugins.manager import extension_manager
    from recon_core.policy import Policy
    from recon_core.sessions import read_session
    from recon_core.values.limits import limits_in_force
    from recon_core.values.memory import without_collecting

    manager = extension_manager()
    with limits_in_force({**LIMITS, "column_rows": 10**9 if rows else 1}), without_collecting():
        recorded = step("read", lambda: read_session(path, manager))
        replays = step("replay", lambda: replay_sides(recorded))
        explain = explainer(Effort.FAST if explained else Effort.OFF)
        found = step(
            "match",
            lambda: Reconciliation(recorded, Policy(), replays=replays, explain=explain),
        )
        step("judge", lambda: (found.judgements, found.notes))


def least(path: Path, what: str, runs: int) -> dict[str, float]:
    """Return the least of each figure over some processes."""
    command = [sys.executable, __file__, "--measure", str(path), "--what", what]
    found = [json.loads(subprocess.check_output(command)) for _ in range(runs)]
    return {name: min(one[name] for one in found) for name in found[0]}


def show(title: str, taken: Mapping[str, float], unit: float, sides: int = 2) -> float:
    """Print the steps of a run and return all of it, in passes over one table."""
    print(f"\n{title}")
    for name in STEPS:
        print(f"  {name:<8}{taken[name]:8.2f} s  {taken[name] / unit:6.2f}")
    whole = sum(taken[name] for name in STEPS)
    print(f"  {'whole':<8}{whole:8.2f} s  {whole / unit:6.2f}   {taken['MiB']:.0f} MiB")
    return whole / unit


PEERS = {
    "fastrecon": "import fastrecon; ...",
}


def main() -> int:
    """Measure, print the share of each step, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--precision", type=int, help="decimal places of cash; exact without it")
    parser.add_argument("--rows", action="store_true", help="the same by rows, for comparison")
    parser.add_argument("--peers", type=Path, help="a Python with fastrecon and datacompy")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--what", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.what)))
        return 0
    return _compare(options)


if __name__ == "__main__":
    sys.exit(main())
