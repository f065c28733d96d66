"""The answer of `recon mutate` in a terminal.

day (day.recon.json): 2 of 3 faults caught
  fault      caught    passed    explained    caught from
  wrong_fee  2         1         1 of 2       1.01 USDT
  passes by  recon.toml: cash.absolute.USDT = 1
    ledger: fee of a fill too high by 1 USDT is INFO, 1.01 USDT is caught
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from tabulate import tabulate

from recon_core.mutate.results import meets
from recon_core.reports.layout import BOLD, DIM, GOOD, Row, Screen, lines_of
from recon_core.reports.mutation_tables import (
    COLUMNS,
    MOST_BELOW,
    MutationTable,
    mutation_tables,
    share_text,
)
from recon_core.reports.run_report import Mutation
from recon_core.values.amounts import format_amount
from recon_core.values.severity import Severity


def mutation_lines(mutation: Mutation, screen: Screen) -> Iterator[str]:
    """Yield the lines of the answer but the last one."""
    yield from lines_of(_refusals(mutation), screen)
    for table in mutation_tables(mutation):
        yield from Row("", table.title, BOLD).lines(screen)
        if table.rows:
            shown = tabulate(table.rows, COLUMNS, tablefmt="plain", disable_numparse=True)
            yield from (f"  {line.rstrip()}" for line in shown.splitlines())
        yield from lines_of(_below(table), screen)


def _refusals(mutation: Mutation) -> Iterator[Row]:
    for session in mutation.sessions:
        if session.refusal:
            text = f"{session.path}: {session.refusal}: no fault is put in; see recon check"
            yield Row(text, "not mutated  ", Severity.FAIL)


def _below(table: MutationTable) -> Iterator[Row]:
    for passed in table.passed:
        yield Row(passed.reason, "passes by  ", Severity.WARN, 2)
        yield from (Row(text, indent=4) for text in passed.faults)
        if passed.more:
            yield Row(f"and {passed.more} more: --format json has them", indent=4)
    if table.unchanged:
        yield Row(_some(table.unchanged), "changes nothing here  ", DIM, 2)


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - MOST_BELOW
    return "; ".join(texts[:MOST_BELOW]) + (f"; and {more} more" if more > 0 else "")


def verdict_line(mutation: Mutation, fail_under: Decimal | None, screen: Screen) -> str:
    """Return the last line: the share that is caught, and if it is enough."""
    text, is_met = share_text(mutation), fail_under is None or meets(mutation, fail_under)
    if fail_under is not None:
        word = "at least" if is_met else "below"
        text += f", {word} the {format_amount(fail_under)} % of --fail-under"
    style = GOOD if is_met and mutation.percent else Severity.FAIL
    return f"{screen.paint('MUTATE:', style)} {text}"
