"""Tables of faults: from which size on each side catches one, and what lets others through."""

import pytest

from recon_core.reports.mutation_tables import MOST_BELOW, MutationTable, mutation_tables
from recon_core.reports.run_report import (
    FaultResult,
    LetThrough,
    MutantResult,
    MutatedSession,
    Mutation,
)
from recon_core.reports.wording import MOST_IN_BLOCKS

LINE = LetThrough("recon.toml", "cash.absolute.EUR", "1", "INFO")
Edge = tuple[str, str]
"""The largest size that passes and the smallest that is caught, empty where there is none."""


def mutant(
    place: int, size: str, result: str, *reasons: LetThrough, severity: str = ""
) -> MutantResult:
    return MutantResult(place, size, result, severity, reasons)


def fault(side: str, edge: Edge = ("1 EUR", "1.01 EUR"), reason: LetThrough = LINE) -> FaultResult:
    """A fault of one fee on a side, with its edge."""
    passes, caught = edge
    return FaultResult(
        "wrong_fee",
        "",
        "fee too high by {}",
        side,
        "f1",
        (mutant(9, "5 EUR", "caught"),),
        mutant(3, passes, "passed", reason, severity="INFO") if passes else None,
        mutant(4, caught, "caught") if caught else None,
        None,
    )


def session(*faults: FaultResult, name: str = "day", refusal: str = "") -> MutatedSession:
    return MutatedSession(f"{name}.recon.json", name, "bot", "broker", refusal, faults)


def tables(*sessions: MutatedSession) -> list[MutationTable]:
    return mutation_tables(Mutation(0, 1, 1, 0, "50", sessions))


@pytest.mark.parametrize(
    ("ours", "theirs", "text"),
    [
        (("1 EUR", "1.01 EUR"), ("1 EUR", "1.01 EUR"), "1.01 EUR"),
        (("1 EUR", "1.01 EUR"), ("", "0.01 EUR"), "bot 1.01 EUR, broker 0.01 EUR"),
        (("1 EUR", "1.01 EUR"), ("9 EUR", ""), "bot 1.01 EUR, broker above 9 EUR"),
        (("1 EUR", "1.01 EUR"), ("", ""), "1.01 EUR"),
        (("", ""), ("", ""), ""),
    ],
)
def test_the_smallest_size_that_is_caught(ours: Edge, theirs: Edge, text: str) -> None:
    """By side where both catch another one."""
    (table,) = tables(session(fault("internal", ours), fault("external", theirs)))
    assert [row[-1] for row in table.rows] == [text]


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (LINE, "recon.toml: cash.absolute.EUR = 1"),
        (LetThrough("", "severity", "WARN", "WARN"), "WARN does not block"),
        (LetThrough("w.toml", "waiver", "swap", "FAIL"), "w.toml: waiver swap"),
        (LetThrough("desk", "hook", "recon_tolerance", "INFO"), "desk: recon_tolerance"),
    ],
)
def test_what_lets_a_fault_through(reason: LetThrough, text: str) -> None:
    """A line of the policy, a waiver, a plugin, or a severity that blocks nothing."""
    (table,) = tables(session(fault("internal", reason=reason)))
    (passed,) = table.passed
    assert passed.reason == text
    assert passed.faults == ("bot: fee too high by 1 EUR is INFO, 1.01 EUR is caught",)


def test_a_size_that_passes_is_no_edge_of_itself() -> None:
    """Where none is caught, nothing is said of the next one; without a verdict it only passes."""
    given = fault("internal", ("9 EUR", ""))
    passes = mutant(3, "9 EUR", "passed", LINE)
    (table,) = tables(session(FaultResult(
        given.cause, "rows", given.words, given.side, "", given.mutants, passes, None, None,
    )))  # fmt: skip
    assert table.passed[0].faults == ("bot: fee too high by 9 EUR passes",)
    assert table.rows[0][0] == "wrong_fee, rows"


def test_many_sessions_are_cut_and_one_is_whole() -> None:
    """A single session names all that passes; of many the first are shown, the others counted."""
    count = MOST_BELOW + 3
    edges = [(f"{number} EUR", f"{number}.01 EUR") for number in range(count)]
    several = [fault("internal", edge) for edge in edges]
    (table,) = tables(session(*several))
    assert (len(table.passed[0].faults), table.passed[0].more) == (count, 0)
    others = [session(name=f"s{number}") for number in range(MOST_IN_BLOCKS)]
    (table,) = tables(session(*several), *others, session(name="red", refusal="is red"))
    assert (len(table.passed[0].faults), table.passed[0].more) == (MOST_BELOW, 3)
    assert table.title.startswith(f"{MOST_IN_BLOCKS + 1} sessions: ")
