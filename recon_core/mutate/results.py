"""From the trials of sessions to their part of a run's report, with the file of each line."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

from recon_core.model.policy_line import PolicyLine
from recon_core.mutate.gate import Pass
from recon_core.mutate.mutation import Mutant, Trial
from recon_core.reports.run_report import (
    FaultResult,
    LetThrough,
    MutantResult,
    MutatedSession,
    Mutation,
)
from recon_core.values.amounts import format_amount, shortest
from recon_core.values.printable import printable

Source = Callable[[Pass], str]
"""Return the file, the plugin or the setting that lets a fault through."""

_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def fault_result(trial: Trial, source: Source) -> FaultResult:
    """Return the result of a trial as plain values, safe to print."""
    edge = trial.edge
    return FaultResult(
        cause=str(trial.fault.cause_kind),
        variant=trial.fault.variant,
        words=trial.fault.words,
        side=str(trial.side),  # type: ignore[arg-type]  # one of the two
        at=printable(trial.injection.place, 100),
        mutants=tuple(_mutant(one, source) for one in trial.mutants),
        passes=None if edge is None or edge.passes is None else _mutant(edge.passes, source),
        caught=None if edge is None or edge.caught is None else _mutant(edge.caught, source),
        explained=trial.is_explained,
    )


def _mutant(mutant: Mutant, source: Source) -> MutantResult:
    return MutantResult(
        place=mutant.place,
        size=printable(mutant.size, 100),
        result=str(mutant.result),  # type: ignore[arg-type]  # one of the three
        severity="" if mutant.severity is None else str(mutant.severity),
        let_through=tuple(_let_through(one, source) for one in mutant.passes),
    )


def _let_through(found: Pass, source: Source) -> LetThrough:
    severity, place = str(found.severity), printable(source(found), 200)
    if found.waiver:
        return LetThrough(place, "waiver", printable(found.waiver, 100), severity)
    if found.hook:
        return LetThrough(place, "hook", "recon_tolerance", severity)
    if found.line is None:
        return LetThrough(place, "severity", severity, severity)
    return LetThrough(place, key_text(found.line), printable(found.line.value, 60), severity)


def key_text(line: PolicyLine) -> str:
    """Return a key as TOML has it: `position.absolute."BTC/*"`."""
    return ".".join(
        part if part and _BARE.issuperset(part) else f'"{printable(part, 60)}"' for part in line.key
    )


def mutation_of(seed: int, sessions: Sequence[MutatedSession]) -> Mutation:
    """Return the part of the report with its counts."""
    counts = {result: _count(sessions, result) for result in ("caught", "passed", "unchanged")}
    of_all = counts["caught"] + counts["passed"]
    return Mutation(
        seed=seed,
        **counts,
        percent=_percent(counts["caught"], of_all) if of_all else "",
        sessions=tuple(sessions),
    )


def _count(sessions: Iterable[MutatedSession], result: str) -> int:
    return sum(fault.count(result) for session in sessions for fault in session.faults)


def _percent(part: int, whole: int) -> str:
    """Return a share in percent, rounded down: 999 of 1000 are never all."""
    return format_amount(shortest(Decimal(part * 1000 // whole).scaleb(-1)))


def meets(mutation: Mutation, least: Decimal) -> bool:
    """True if the share that is caught is `least` percent or more, exactly."""
    whole = mutation.caught + mutation.passed
    return mutation.caught * 100 >= least * whole
