"""Tables of the faults that the gate would have caught, and of what lets others through.

Of a session whose balance may be off by 1 USDT, the row of `wrong_fee` says that 4 faults are
caught and 2 pass, and that it is caught from 1.01 USDT on; below `recon.toml: cash.absolute.USDT
= 1` is the fee of 1 USDT that passes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from recon_core.reports.run_report import (
    FaultResult,
    LetThrough,
    MutantResult,
    MutatedSession,
    Mutation,
)
from recon_core.reports.wording import MOST_IN_BLOCKS, counted

COLUMNS: Final = ("fault", "caught", "passed", "explained", "caught from")
"""Heads of a table: what is tried, counts of mutants, and the smallest size that is caught."""
MOST_BELOW: Final = 12
"""Faults of several sessions that are shown below a line of the policy; JSON has all of them."""

_Passed = tuple[MutatedSession, FaultResult, MutantResult]


@dataclass(frozen=True, slots=True)
class PassedFaults:
    """Faults that pass for one reason, such as a line of the policy; `more` are left out."""

    reason: str
    faults: tuple[str, ...]
    more: int


@dataclass(frozen=True, slots=True)
class MutationTable:
    """One session, or many in one table: its title, a row for each fault, and what passes."""

    title: str
    rows: tuple[tuple[str, ...], ...]
    passed: tuple[PassedFaults, ...]
    unchanged: tuple[str, ...]


def mutation_tables(mutation: Mutation) -> list[MutationTable]:
    """Return a table for each session, one for all where there are many."""
    mutated = [session for session in mutation.sessions if not session.refusal]
    if len(mutated) > MOST_IN_BLOCKS:
        return [_table(mutated)]
    return [_table([session]) for session in mutated]


def share_text(mutation: Mutation) -> str:
    """Return `9 of 10 faults caught, 90 %, 2 more change nothing`."""
    whole = mutation.caught + mutation.passed
    parts = [f"{mutation.caught} of {counted(whole, 'fault')} caught"]
    parts += [f"{mutation.percent} %"] if mutation.percent else []
    parts += [f"{mutation.unchanged} more change nothing"] if mutation.unchanged else []
    return ", ".join(parts)


def _table(group: Sequence[MutatedSession]) -> MutationTable:
    faults = [fault for session in group for fault in session.faults]
    names = dict.fromkeys(map(_name, faults))
    return MutationTable(
        _title(group, faults),
        tuple(_row(name, [f for f in faults if _name(f) == name], group) for name in names),
        tuple(_passed(group)),
        tuple(_unchanged(group)),
    )


def _title(group: Sequence[MutatedSession], faults: Sequence[FaultResult]) -> str:
    caught = sum(fault.count("caught") for fault in faults)
    whole = caught + sum(fault.count("passed") for fault in faults)
    if len(group) > 1:
        return f"{len(group)} sessions: {caught} of {counted(whole, 'fault')} caught"
    (session,) = group
    return f"{session.session_id} ({session.path}): {caught} of {counted(whole, 'fault')} caught"


def _name(fault: FaultResult) -> str:
    return f"{fault.cause}, {fault.variant}" if fault.variant else fault.cause


def _row(
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
    return ", ".join(f"{side} {text}" for side, text in found.items())


def _first_caught(fault: FaultResult) -> str:
    if fault.caught is not None:
        return fault.caught.size
    return "" if fault.passes is None else f"above {fault.passes.size}"


def _side(fault: FaultResult, session: MutatedSession) -> str:
    return session.internal if fault.side == "internal" else session.external


def _passed(group: Sequence[MutatedSession]) -> Iterator[PassedFaults]:
    """Yield what passes for each reason, a fault that passes on both sides once."""
    found: dict[str, list[_Passed]] = {}
    for session in group:
        for fault in session.faults:
            for mutant in fault.passed:
                found.setdefault(_reasons(mutant.let_through), []).append((session, fault, mutant))
    for reason, passed in found.items():
        texts = _of_sides(
            (_passed_text(fault, mutant), _side(fault, session))
            for session, fault, mutant in passed
        )
        shown = texts if len(group) == 1 else texts[:MOST_BELOW]
        yield PassedFaults(reason, tuple(shown), len(texts) - len(shown))


def _of_sides(texts: Iterable[tuple[str, str]]) -> list[str]:
    """Return each text once, after the sides that it is said of."""
    sides: dict[str, list[str]] = {}
    for text, side in texts:
        sides.setdefault(text, []).append(side)
    return [f"{' and '.join(dict.fromkeys(of))}: {text}" for text, of in sides.items()]


def _reasons(reasons: Sequence[LetThrough]) -> str:
    return "; ".join(dict.fromkeys(map(_reason, reasons))) or "nothing differs with it"


def _reason(reason: LetThrough) -> str:
    """Return `recon.toml: cash.absolute.USDT = 1`, in place of a line what else lets it through."""
    if reason.key == "severity":
        return f"{reason.value} does not block"
    if reason.key == "waiver":
        return f"{reason.source}: waiver {reason.value}"
    if reason.key == "hook":
        return f"{reason.source}: {reason.value}"
    return f"{reason.source}: {reason.key} = {reason.value}"


def _passed_text(fault: FaultResult, mutant: MutantResult) -> str:
    """Return `fee of a fill too high by 1 USDT is INFO, 1.01 USDT is caught`."""
    verb = f"is {mutant.severity}" if mutant.severity else "passes"
    text = f"{fault.words.format(mutant.size)} {verb}"
    if mutant == fault.passes and fault.caught is not None:
        return f"{text}, {fault.caught.size} is caught"
    return text


def _unchanged(group: Sequence[MutatedSession]) -> list[str]:
    """Return the faults that change nothing that the gate compares."""
    return _of_sides(
        (fault.words.format(mutant.size), _side(fault, session))
        for session in group
        for fault in session.faults
        for mutant in fault.mutants
        if mutant.result == "unchanged"
    )
