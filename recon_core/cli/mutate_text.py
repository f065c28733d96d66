"""The answer of `recon mutate` in a terminal: a table of faults, and what lets others through.

day (day.recon.json): 2 of 3 faults caught
  fault      caught    passed    explained    caught from
  wrong_fee  2         1         1 of 2       1.01 USDT
  passes by  built-in: cash.absolute.USDT = 1
    ledger: fee of a fill too high by 1 USDT is INFO, 1.01 USDT is caught
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from tabulate import tabulate

from recon_core.mutate.results import meets
from recon_core.reports.layout import BOLD, DIM, GOOD, Row, Screen
from recon_core.reports.run_report import (
    FaultResult,
    LetThrough,
    MutantResult,
    MutatedSession,
    Mutation,
)
from recon_core.reports.wording import MOST_IN_BLOCKS, counted
from recon_core.values.amounts import format_amount
from recon_core.values.severity import Severity

_COLUMNS: Final = ("fault", "caught", "passed", "explained", "caught from")
_MOST_BELOW: Final = 12
"""Faults below a line of the policy that are shown of several sessions; JSON has them all."""

_Passed = tuple[MutatedSession, FaultResult, MutantResult]


def mutation_lines(
    mutation: Mutation, lowest: Severity, fail_under: Decimal | None, screen: Screen
) -> list[str]:
    """Return the lines of the answer; the last one has the share that is caught."""
    lines = [line for row in _refusals(mutation) for line in row.lines(screen)]
    mutated = [session for session in mutation.sessions if not session.refusal]
    for group in _groups(mutated):
        lines += Row(_title(group), style=BOLD).lines(screen)
        lines += _table([fault for session in group for fault in session.faults], group)
        rows = [*_passed_rows(group, lowest), *_unchanged_rows(group)]
        lines += [line for row in rows for line in row.lines(screen)]
    return [*lines, *Row(*_verdict(mutation, fail_under)).lines(screen)]


def _groups(sessions: list[MutatedSession]) -> list[list[MutatedSession]]:
    """Return the sessions that share a table: each has its own, but of many sessions."""
    if len(sessions) > MOST_IN_BLOCKS:
        return [sessions]
    return [[session] for session in sessions]


def _refusals(mutation: Mutation) -> Iterator[Row]:
    for session in mutation.sessions:
        if session.refusal:
            text = f"{session.path}: {session.refusal}: no fault is put in; see recon check"
            yield Row(text, "not mutated  ", Severity.FAIL)


def _title(group: Sequence[MutatedSession]) -> str:
    faults = [fault for session in group for fault in session.faults]
    caught = sum(fault.count("caught") for fault in faults)
    whole = caught + sum(fault.count("passed") for fault in faults)
    if len(group) > 1:
        return f"{len(group)} sessions: {caught} of {counted(whole, 'fault')} caught"
    (session,) = group
    return f"{session.session_id} ({session.path}): {caught} of {counted(whole, 'fault')} caught"


def _table(faults: Sequence[FaultResult], group: Sequence[MutatedSession]) -> list[str]:
    names = dict.fromkeys(map(_name, faults))
    rows = [
        _table_row(name, [fault for fault in faults if _name(fault) == name], group)
        for name in names
    ]
    if not rows:
        return []
    table = tabulate(rows, _COLUMNS, tablefmt="plain", disable_numparse=True)
    return [f"  {line.rstrip()}" for line in table.splitlines()]


def _name(fault: FaultResult) -> str:
    return f"{fault.cause}, {fault.variant}" if fault.variant else fault.cause


def _table_row(
    name: str, faults: Sequence[FaultResult], group: Sequence[MutatedSession]
) -> tuple[str, ...]:
    asked = [fault.explained for fault in faults if fault.explained is not None]
    return (
        name,
        str(sum(fault.count("caught") for fault in faults)),
        str(sum(fault.count("passed") for fault in faults) or ""),
        f"{sum(asked)} of {len(asked)}" if asked else "",
        _caught_from(faults, group[0]) if len(group) == 1 else "",
    )


def _caught_from(faults: Sequence[FaultResult], session: MutatedSession) -> str:
    """Return the smallest size that is caught, by side where the sides differ."""
    found = {_side(fault, session): _first_caught(fault) for fault in faults}
    texts = dict.fromkeys(text for text in found.values() if text)
    if len(texts) <= 1:
        return next(iter(texts), "")
    return ", ".join(f"{side} {text}" for side, text in found.items() if text)


def _first_caught(fault: FaultResult) -> str:
    if fault.caught is not None:
        return fault.caught.size
    return "" if fault.passes is None else f"more than {fault.passes.size}"


def _side(fault: FaultResult, session: MutatedSession) -> str:
    return session.internal if fault.side == "internal" else session.external


def _passed_rows(group: Sequence[MutatedSession], lowest: Severity) -> Iterator[Row]:
    """Yield what passes below each line of the policy that lets it through."""
    found: dict[str, list[_Passed]] = {}
    for session in group:
        for fault in session.faults:
            for mutant in fault.passed:
                reasons = _reasons(mutant.let_through, lowest)
                found.setdefault(reasons, []).append((session, fault, mutant))
    for reasons, passed in found.items():
        yield Row(reasons, "passes by  ", Severity.WARN, 2)
        yield from _passed_below(passed, is_whole=len(group) == 1)


def _passed_below(passed: Sequence[_Passed], *, is_whole: bool) -> Iterator[Row]:
    """Yield each fault that passes, one on both sides once."""
    sides: dict[str, list[str]] = {}
    for session, fault, mutant in passed:
        sides.setdefault(_passed_text(fault, mutant), []).append(_side(fault, session))
    shown = list(sides.items()) if is_whole else list(sides.items())[:_MOST_BELOW]
    for text, named in shown:
        yield Row(f"{' and '.join(dict.fromkeys(named))}: {text}", indent=4)
    if len(sides) > len(shown):
        yield Row(f"and {len(sides) - len(shown)} more: --format json has them", indent=4)


def _reasons(reasons: Sequence[LetThrough], lowest: Severity) -> str:
    if not reasons:
        return "nothing differs with it"
    return "; ".join(dict.fromkeys(reason_text(one, lowest) for one in reasons))


def reason_text(reason: LetThrough, lowest: Severity) -> str:
    """Return what lets a fault through: `recon.toml: cash.absolute.USDT = 1`."""
    if reason.key == "severity":
        return f"{reason.value} does not block: {lowest} does"
    if reason.key == "waiver":
        return f"{reason.source}: waiver {reason.value}"
    if reason.key == "hook":
        return f"{reason.source}: {reason.value}"
    return f"{reason.source}: {reason.key} = {reason.value}"


def _passed_text(fault: FaultResult, mutant: MutantResult) -> str:
    """Return `fee of a fill too high by 1 USDT is INFO, 1.01 USDT is caught`."""
    text = f"{fault.words.format(mutant.size)} {_verb(mutant)}"
    if mutant == fault.passes and fault.caught is not None:
        return f"{text}, {fault.caught.size} is caught"
    return text


def _verb(mutant: MutantResult) -> str:
    return f"is {mutant.severity}" if mutant.severity else "passes"


def _unchanged_rows(group: Sequence[MutatedSession]) -> Iterator[Row]:
    """Yield the faults that change nothing that the gate compares."""
    texts = dict.fromkeys(
        f"{fault.words.format(mutant.size)} ({_side(fault, session)})"
        for session in group
        for fault in session.faults
        for mutant in fault.mutants
        if mutant.result == "unchanged"
    )
    if texts:
        yield Row(_some(list(texts)), "changes nothing here  ", DIM, 2)


def _some(texts: Sequence[str]) -> str:
    more = len(texts) - _MOST_BELOW
    return "; ".join(texts[:_MOST_BELOW]) + (f"; and {more} more" if more > 0 else "")


def _verdict(mutation: Mutation, fail_under: Decimal | None) -> tuple[str, str, str]:
    """Return the last line: its text, its head and the style of that."""
    whole = mutation.caught + mutation.passed
    of_all = f"{mutation.caught} of {counted(whole, 'fault')} caught"
    parts = [f"{of_all}, {mutation.percent} %" if mutation.percent else of_all]
    if mutation.unchanged:
        parts.append(f"{mutation.unchanged} more change nothing")
    is_met = fail_under is None or meets(mutation, fail_under)
    if fail_under is not None:
        word = "at least" if is_met else "below"
        parts.append(f"{word} the {format_amount(fail_under)} % of --fail-under")
    style = GOOD if is_met and mutation.percent else Severity.FAIL
    return ", ".join(parts), "MUTATE: ", str(style)
