"""Large tables of fills in columns: read, replayed, matched and judged, against decoding them.

    python benchmarks/columns.py [--fills 200000] [--runs 3] [--precision 2] [--peers PYTHON]

Writes a session whose sides are Parquet tables with that many spot fills, once equal and once with
breaks, and takes the CPU time of each step in a process of its own, the least of some runs.
The unit is one pass of DuckDB over every value of one table, in CPU time; of `recon check`, a
process that does that and nothing else. With 1,000,000 fills and more it ends with 1 where a target
is missed.

`--peers` names a Python that has fastrecon, datacompy and pyarrow: they compare the same two files.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from figures import Figures, json_option, versions
from measured import Step, Usage, steps, usage

MIB = 1024 * 1024
FORMS = {"parquet": "parquet, COMPRESSION zstd", "csv": "csv", "jsonl": "json"}
"""Endings of tables, and how DuckDB writes them; amounts are numbers in JSON."""
SYMBOLS = 200
QUOTES = ("EUR", "USDT", "USD", "BTC")
SMALL = 1_000_000
"""Fills a side from which on a target that is missed is the exit status."""
LARGE = 10_000_000
"""Fills a side that may take more memory."""
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
  {time} AS time
FROM (SELECT i, ['EUR', 'USDT', 'USD', 'BTC'][1 + ((hash(i) % {symbols}) % 4)::INT] AS quote
      FROM range({fills}) AS t(i)) {where}
"""


def write_table(path: Path, fills: int, *, breaks: bool) -> None:
    """Write fills; with `breaks` some are missing and some have another price."""
    import duckdb

    moment = "1767225600000000 + i * 1000 + (hash(i + 9) % 900)::BIGINT"
    sql = f"make_timestamptz({moment})"
    if path.suffix != ".parquet":
        sql = f"strftime(make_timestamp({moment}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    query = _FILLS.format(
        time=sql,
        symbols=SYMBOLS,
        fills=fills,
        price="+ (i % 9973 = 5)::INT * 0.01" if breaks else "",
        where="WHERE i % 19997 <> 3" if breaks else "",
    )
    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"COPY ({query}) TO '{path}' (FORMAT {FORMS[path.suffix[1:]]})")


def write_session(
    directory: Path, fills: int, precision: int | None, form: str = "parquet", *, breaks: bool
) -> Path:
    """Write a session of two tables; both sides are replayed."""
    for name, is_broken in (("a", False), ("b", breaks)):
        write_table(directory / f"{name}.{form}", fills, breaks=is_broken)
    if form != "parquet":
        write_table(directory / "a.parquet", fills, breaks=False)  # the unit
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
            "fills": {"path": f"{name}.{form}"},
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
    step = steps(taken)

    if what == "decode":
        _decode(path.with_name("a.parquet"), step)
    else:
        _reconcile(path, step, rows=what == "rows", explained=what == "explained")
    taken["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return taken


def _decode(table: Path, step: Step) -> None:
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET enable_progress_bar = false")
    columns = "fill_id, symbol, side, quantity, price, fee, fee_currency, time"
    query = f"SELECT count(*), bit_xor(hash({columns})) FROM read_parquet('{table}')"
    step("decode", lambda: connection.execute(query).fetchall())


def _reconcile(path: Path, step: Step, *, rows: bool, explained: bool) -> None:
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.explain.on_demand import explainer
    from recon_core.ledger.replay import replay_sides
    from recon_core.model.explanation import Effort
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


def show(title: str, taken: Mapping[str, float], unit: float) -> None:
    """Print the steps of a run, in seconds and in passes over one table."""
    print(f"\n{title}")
    for name in STEPS:
        print(f"  {name:<8}{taken[name]:8.2f} s  {taken[name] / unit:6.2f}")
    print(f"  memory  {taken['MiB']:8.0f} MiB")


def least_of(command: list[str], directory: Path, status: int, runs: int) -> Usage:
    """Return the least CPU time and memory of a process over some runs."""
    found = [usage(command, directory, status) for _ in range(runs)]
    least_wall = min(one.wall for one in found)
    return Usage(min(one.cpu for one in found), least_wall, min(one.mib for one in found))


FASTRECON = """
from fastrecon import ParquetFile, compare
compare(ParquetFile('a.parquet'), ParquetFile('b.parquet'), keys=['symbol', 'fill_id'])
"""
DATACOMPY = """
import polars
from datacompy import PolarsCompare
one, other = (polars.read_parquet(f'{name}.parquet') for name in 'ab')
PolarsCompare(one, other, join_columns=['symbol', 'fill_id']).report()
"""
PEERS = {"fastrecon": (FASTRECON, 2.0), "datacompy": (DATACOMPY, 0.1)}
"""Other tools, and the most that recon check may take of their time."""


def show_peers(
    python: Path, directory: Path, runs: int, whole: float, row: Callable[..., bool]
) -> None:
    """Print the CPU time of other tools on the same two tables, as whole processes."""
    for name, (script, most) in PEERS.items():
        try:
            found = least_of([str(python), "-c", script], directory, 0, runs)
        except SystemExit as error:
            print(f"  {name:<20} failed: {str(error).splitlines()[-1][:100]}")
            continue
        print(f"  {name:<20}{found.cpu:8.2f} s  {found.mib:6.0f} MiB")
        row(f"recon check : {name}", whole / found.cpu, at_most=most)


def check_command(path: Path, *, breaks: bool) -> list[str]:
    """Return `recon check` of a session, within the limits of this benchmark."""
    limits = [f"--limit={name}={most}" for name, most in LIMITS.items()]
    explain = ["--explain=off"] if breaks else []
    return [sys.executable, "-m", "recon_core.cli", "check", str(path), *limits, *explain]


def compare_whole(
    options: argparse.Namespace, path: Path, row: Callable[..., bool], *, breaks: bool
) -> None:
    """Print `recon check` as a process, beside one that decodes a table, and other tools."""
    script = [sys.executable, __file__, "--measure", str(path), "--what", "decode"]
    decode = least_of(script, path.parent, 0, options.runs)
    status = 2 if breaks else 0
    command = check_command(path, breaks=breaks)
    check = least_of(command, path.parent, status, options.runs)
    print(f"  {'decoding, process':<20}{decode.cpu:8.2f} s  {decode.mib:6.0f} MiB")
    print(f"  {'recon check':<20}{check.cpu:8.2f} s  {check.mib:6.0f} MiB")
    row("recon check : decode, processes", check.cpu / decode.cpu, at_most=WHOLE)
    large = options.fills >= LARGE
    row("memory", check.mib, "MiB", at_most=LARGE_MIB if large else WHOLE_MIB)
    if options.peers and options.form == "parquet" and not breaks:
        show_peers(options.peers, path.parent, options.runs, check.cpu, row)


def peer_versions(python: Path | None) -> dict[str, str]:
    """Return the versions of the other tools, and that of DuckDB here."""
    found = versions("duckdb")
    if python is not None:
        names = ", ".join(f"version('{name}')" for name in PEERS)
        script = f"from importlib.metadata import version; print({names})"
        answer = subprocess.check_output([str(python), "-c", script], text=True).split()
        found |= dict(zip(PEERS, answer, strict=True))
    return found


def compare(options: argparse.Namespace) -> int:
    """Measure a clear session and one with breaks; return 1 where a target is missed."""
    figures = Figures(
        "columns",
        "Large tables in columns",
        "Two tables of spot fills, in CPU time against one pass of DuckDB over one of them: the "
        "steps in one process, and recon check as a process against one that decodes.",
        f"python benchmarks/columns.py --fills {options.fills} --form {options.form}",
        peer_versions(options.peers),
    )
    for title, breaks in (("equal sides", False), ("sides with breaks", True)):
        with tempfile.TemporaryDirectory() as name:
            path = write_session(
                Path(name), options.fills, options.precision, options.form, breaks=breaks
            )
            unit = least(path, "decode", options.runs)["decode"]
            print(f"\ndecoding one table of {options.fills} fills: {unit:.2f} s of CPU")
            taken = least(path, "columns", options.runs)
            show(f"{title}, in columns, CPU seconds and passes", taken, unit)
            if options.rows:
                show(f"{title}, by rows", least(path, "rows", 1), unit)
            row = row_of(figures, f"{options.fills:,} fills a side, {options.form}, {title}")
            row("replay of a side : decode", taken["replay"] / 2 / unit, at_most=REPLAY)
            row("match : decode", taken["match"] / unit, at_most=MATCH)
            compare_whole(options, path, row, breaks=breaks)
    figures.write(options.json)
    return int(not all(one.met for one in figures.figures) and options.fills >= SMALL)


def row_of(figures: Figures, case: str) -> Callable[..., bool]:
    """Return what adds a figure of one case and prints it beside its target."""

    def add(measure: str, value: float, unit: str = "times", *, at_most: float) -> bool:
        met = figures.add(case, measure, value, unit, at_most=at_most)
        print(f"{measure:<40}{value:8.2f}  (at most {at_most:g}){'' if met else '  MISSED'}")
        return met

    return add


def main() -> int:
    """Measure, print the share of each step, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--precision", type=int, help="decimal places of cash; exact without it")
    parser.add_argument("--form", choices=FORMS, default="parquet")
    parser.add_argument("--rows", action="store_true", help="the same by rows, for comparison")
    parser.add_argument("--peers", type=Path, help="a Python with fastrecon and datacompy")
    json_option(parser)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--what", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.measure, options.what)))
        return 0
    return compare(options)


if __name__ == "__main__":
    sys.exit(main())
