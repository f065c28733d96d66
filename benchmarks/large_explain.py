"""What the explanation of one fault costs in a large session, against reading it.

    python benchmarks/large_explain.py [--fills 1000000] [--form parquet] [--runs 3]

Writes sessions whose sides are tables with that many spot fills in 200 symbols, with fees of 0.1 %.
The ledger has one fault; with `stated` the exchange states its balances and positions, too. Takes
the CPU time of each step in a process of its own, the least of some runs. The unit is reading both
tables in columns. Ends with 1 where a target is missed, or where the answer is not the one fault.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from columns import LIMITS, QUOTES, SMALL, SYMBOLS
from figures import Figures, json_option, versions
from measured import options_or_measure, steps

MOST_SHARE = 1.0
"""Times reading that an explanation may take."""
MOST_MIB = 1024
FAULTS = {
    "missing_fill": "SELECT * FROM fills WHERE n <> {at}",
    "duplicate_fill": "SELECT * FROM fills UNION ALL SELECT * FROM fills WHERE n = {at}",
    "side_flipped": "SELECT * REPLACE (if(n = {at}, if(side = 'BUY', 'SELL', 'BUY'), side) AS side)"
    " FROM fills",
    "duplicate_fee": "SELECT * REPLACE (if(n = {at}, 2 * fee, fee)::DECIMAL(18, 8) AS fee)"
    " FROM fills",
    "wrong_quantity": "SELECT * REPLACE (if(n = {at}, 10 * quantity, quantity)::DECIMAL(18, 8)"
    " AS quantity) FROM fills",
}
_FILLS = """
CREATE TABLE fills AS SELECT *, (quantity * price * 0.001)::DECIMAL(18, 8) AS fee FROM (
SELECT i AS n, 'f' || i AS fill_id,
  'S' || lpad((hash(i) % {symbols})::VARCHAR, 3, '0') || '/' || quote AS symbol,
  CASE WHEN hash(i + 7) % 2 = 0 THEN 'BUY' ELSE 'SELL' END AS side,
  ((1 + hash(i + 1) % 100000000)::DECIMAL(18, 0) * 0.00000001)::DECIMAL(18, 8) AS quantity,
  ((100000 + hash(i + 2) % 9000000)::DECIMAL(18, 0) * 0.01)::DECIMAL(18, 2) AS price,
  quote AS fee_currency, 'o' || (i // 2) AS client_order_id,
  1767225600000000 + i * 1000 AS moment
FROM (SELECT i, {quotes}[1 + ((hash(i) % {symbols}) % 4)::INT] AS quote
      FROM range({fills}) AS t(i)))
"""
_COLUMNS = "fill_id, symbol, side, quantity, price, fee, fee_currency, client_order_id"
OPENING = Decimal("1000000.00")


def write_sessions(directory: Path, fills: int, form: str) -> list[tuple[str, str]]:
    """Write a session for each fault, twice; return the fault and the form of the exchange."""
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    connection.execute("SET enable_progress_bar = false")
    connection.execute(_FILLS.format(symbols=SYMBOLS, quotes=list(QUOTES), fills=fills))
    time, how = "make_timestamptz(moment)", "parquet, COMPRESSION zstd"
    if form == "csv":
        time, how = "strftime(make_timestamp(moment), '%Y-%m-%dT%H:%M:%S.%fZ')", "csv"
    queries = {"right": "SELECT * FROM fills"} | FAULTS
    for name, query in queries.items():
        at = fills * 6 // 10
        selected = f"SELECT {_COLUMNS}, {time} AS time FROM ({query.format(at=at)})"  # noqa: S608
        connection.execute(
            f"COPY ({selected} ORDER BY moment) TO '{directory}/{name}.{form}' (FORMAT {how})"
        )
    stated, found = _state(connection), []
    for fault in FAULTS:
        for exchange in ("replayed", "stated"):
            more = stated if exchange == "stated" else {}
            document = _document(fault, form, more)
            path = directory / f"{fault}-{exchange}.recon.json"
            path.write_text(json.dumps(document), encoding="utf-8")
            found.append((fault, exchange))
    return found


def _state(connection: Any) -> dict[str, Any]:
    """The balances and positions that the right fills give."""
    signed = "(CASE side WHEN 'BUY' THEN quantity ELSE -quantity END)"
    quantities = f"SELECT symbol, sum({signed}) FROM fills GROUP BY 1"  # noqa: S608
    amounts = f"SELECT fee_currency, sum({signed} * price) + sum(fee) FROM fills GROUP BY 1"  # noqa: S608
    held, paid = (connection.execute(query).fetchall() for query in (quantities, amounts))
    cash = {symbol.split("/")[0]: quantity for symbol, quantity in held}
    cash |= {quote: -amount for quote, amount in paid}
    cash["EUR"] += OPENING
    return {
        "positions": {symbol: str(quantity) for symbol, quantity in held},
        "cash": {currency: f"{amount:f}" for currency, amount in cash.items()},
    }


def _document(fault: str, form: str, stated: dict[str, Any]) -> dict[str, Any]:
    side = {"as_of": "2027-01-01T00:00:00Z", "opening": {"cash": {"EUR": str(OPENING)}}}
    pairs = ((f"S{number:03}", QUOTES[number % 4]) for number in range(SYMBOLS))
    return {
        "schema": "recon.session/1",
        "session_id": "large",
        "instruments": {
            f"{base}/{quote}": {"kind": "spot", "base": base, "quote": quote}
            for base, quote in pairs
        },
        "internal": {**side, "fills": {"path": f"{fault}.{form}"}},
        "external": {**side, "fills": {"path": f"right.{form}"}, **stated},
    }


def measure(path: Path) -> dict[str, Any]:
    """The CPU seconds of each step in this process, the most memory, and the answer."""
    from recon_core.engine.reconciliation import Reconciliation
    from recon_core.explain import explain
    from recon_core.ledger.replay import replay_sides
    from recon_core.plugins.manager import extension_manager
    from recon_core.policy import Policy
    from recon_core.sessions import read_session
    from recon_core.values.limits import limits_in_force
    from recon_core.values.memory import without_collecting

    taken: dict[str, Any] = {}
    step = steps(taken)
    manager = extension_manager()
    with limits_in_force({**LIMITS, "column_rows": 1}), without_collecting():
        recorded = step("read", lambda: read_session(path, manager))
        replays = step("replay", lambda: replay_sides(recorded))
        found = step("match", lambda: Reconciliation(recorded, Policy(), replays=replays))
        answers = step("explain", lambda: explain(found))
    taken["MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    taken["answer"] = [
        [str(one.verdict), *(str(cause.cause_kind) for cause in one.causes)] for one in answers
    ]
    return taken


def compare(options: argparse.Namespace) -> int:
    """Measure every session; return 1 where a target is missed or an answer is wrong."""
    figures = Figures(
        "large-explain",
        "Explanations of large sessions",
        "One fault in a session of two tables, in CPU time of one process: explaining it against "
        "reading both tables in columns. stated: the exchange states its balances as well.",
        f"python benchmarks/large_explain.py --fills {options.fills} --form {options.form}",
        versions("duckdb"),
    )
    met = True
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for fault, exchange in write_sessions(directory, options.fills, options.form):
            path = directory / f"{fault}-{exchange}.recon.json"
            command = [sys.executable, __file__, "--measure", str(path)]
            runs = [json.loads(subprocess.check_output(command)) for _ in range(options.runs)]
            least = {name: min(one[name] for one in runs) for name in ("read", "explain", "MiB")}
            is_right = all(one["answer"] == [["unique", fault]] for one in runs)
            share = least["explain"] / least["read"]
            row = f"{options.fills:,} fills a side, {options.form}, {exchange}: {fault}"
            figures.add(row, "read", least["read"], "s")
            figures.add(row, "explain", least["explain"], "s")
            is_met = figures.add(row, "explain : read", share, at_most=MOST_SHARE)
            is_met = figures.add(row, "memory", least["MiB"], "MiB", at_most=MOST_MIB) and is_met
            marks = f"{'' if is_met else ' MISSED'}{'' if is_right else ' WRONG'}"
            print(f"{row:<64}{least['read']:7.2f}{least['explain']:7.2f}{share:6.2f}{marks}")
            met = met and is_right and (is_met or options.fills < SMALL)
    figures.write(options.json)
    return 0 if met else 1


def main() -> int:
    """Measure, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fills", type=int, default=1_000_000)
    parser.add_argument("--form", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--runs", type=int, default=3)
    json_option(parser)
    options = options_or_measure(parser, measure)
    return compare(options)


if __name__ == "__main__":
    sys.exit(main())
