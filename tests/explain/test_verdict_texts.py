"""Words around an explanation: what is pending, what remains, which ratio all figures have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recon_core.explain.answers.pending_movements import and_pending
from recon_core.explain.answers.verdicts import alternatives, fee_hint, ratio_hint, unexplained
from recon_core.explain.problem.hypotheses import Facts, Hypothesis, Row
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.wording import row_text, rows_text, vector_text
from recon_core.explain.proof.wording import cause_text, change_text, off_text
from recon_core.model import Fill, LedgerSide, Opening
from recon_core.model.explanation import (
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from tests.core.builders import at, fill, side
from tests.explain.problems import prover_of
from tests.explain.real_sessions import moved, session

SAID = Explanation(ExplanationVerdict.UNIQUE, text="said")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], ""),
        (["5 EUR"], "5 EUR"),
        (["5 EUR", "-2 EUR"], "3 EUR"),
        (["5 USDT", "1 BTC", "2 EUR", "1 USDT"], "1 BTC, 2 EUR, 6 USDT"),
    ],
)
def test_what_is_booked_only_later(rows: list[str], words: str) -> None:
    """The sums by currency, in the order of their names."""
    pending = [moved(f"m{at_}", "funding", row) for at_, row in enumerate(rows)]
    split = moved("s", "split", symbol="A/EUR", quantity=Decimal(3))
    found = and_pending(SAID, [split, *pending])
    more = f"; {words} is booked only later, as this format does" if words else ""
    assert found == replace(SAID, text=f"said{more}")


def decimals(texts: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(text) for name, text in texts.items()}


@pytest.mark.parametrize(
    ("remaining", "effect", "is_fee"),
    [
        ({"cash::EUR": "1"}, {"cash::EUR": "100"}, True),
        ({"cash::EUR": "1.01"}, {"cash::EUR": "100"}, False),
        ({"cash::EUR": "1"}, {"cash::EUR": "-100"}, True),
        ({"cash::EUR": "-1"}, {"cash::EUR": "100"}, False),
        ({"cash::EUR": "0"}, {"cash::EUR": "100"}, False),
        ({"cash::EUR": "1"}, {"cash::USD": "100"}, False),
        ({"cash::EUR": "1", "cash::USD": "1"}, {"cash::EUR": "100", "cash::USD": "100"}, False),
        ({"position::BTC/EUR": "1"}, {"position::BTC/EUR": "100"}, False),
        ({}, {"cash::EUR": "100"}, False),
    ],
)
def test_what_remains_may_be_a_fee(
    remaining: dict[str, str], effect: dict[str, str], *, is_fee: bool
) -> None:
    """A cost of at most a hundredth of the cash that moved, and nothing besides."""
    words = ", consistent with the fee" if is_fee else ""
    assert fee_hint(decimals(remaining), decimals(effect)) == words


MULTIPLES: list[tuple[dict[str, str], dict[str, str], str]] = [
    ({"A": "6", "B": "-4"}, {"A": "3", "B": "-2"},
     "; A and B are exactly 2 times as much on the internal side, as if every row was booked"),
    ({"A": "9", "B": "6"}, {"A": "3", "B": "2"},
     "; A and B are exactly 3 times as much on the internal side"),
    ({"A": "3", "B": "2"}, {"A": "9", "B": "6"},
     "; A and B are exactly 3 times as much on the external side"),
    ({"A": "9", "B": "6", "C": "8"}, {"A": "3", "B": "2", "C": "4"},
     "; A and B are exactly 3 times as much on the internal side"),
    ({"A": "9", "B": "5"}, {"A": "3", "B": "2"}, ""),
    ({"A": "9"}, {"A": "3"}, ""),
    ({"A": "-9", "B": "-6"}, {"A": "3", "B": "2"}, ""),
    ({"A": "9", "B": "6"}, {"A": "3", "B": "0"}, ""),
    ({"A": "9", "B": "0"}, {"A": "3", "B": "2"}, ""),
    ({"A": "5", "B": "5"}, {"A": "3", "B": "3"}, ""),
    (dict.fromkeys("ABCDE", "6"), dict.fromkeys("ABCDE", "3"),
     "; A and B and C and D and E are exactly 2 times"),
    (dict.fromkeys("ABCDEFG", "6"), dict.fromkeys("ABCDEFG", "3"),
     "; A and B and C and D and E and 2 more are exactly 2 times"),
]  # fmt: skip
"""Positions of the ledger, of the exchange, and how the words begin."""


@pytest.mark.parametrize(("mine", "theirs", "words"), MULTIPLES)
def test_positions_of_one_ratio(mine: dict[str, str], theirs: dict[str, str], words: str) -> None:
    """A whole multiple that at least two of them have."""
    prover = prover_of(session(side(mine, {}), side(theirs, {})).recorded)
    delta = {f"position::{name}": Decimal(1) for name in mine}
    found = ratio_hint(prover, delta)
    assert found.startswith(words)
    assert bool(found) is bool(words)


ALL_ROWS: dict[str, Any] = {"fills": (), "movements": ()}


@pytest.mark.parametrize(
    ("mine", "theirs", "words", "decides"),
    [
        ({}, {}, "; neither side gives rows", "the fills and movements of both sides"),
        ({"fills": ()}, {}, "; the external side gives no rows",
         "the fills of the external side and the movements of both sides"),
        ({}, {"movements": ()}, "; the internal side gives no rows",
         "the fills of both sides and the movements of the internal side"),
        ({"fills": ()}, {"movements": ()}, "",
         "the fills of the external side and the movements of the internal side"),
        ({"fills": (), "movements": ()}, {"orders": ()},
         "; the external side gives orders, and neither fills nor movements",
         "the fills and movements of the external side"),
        (ALL_ROWS, ALL_ROWS, "", "the balances in between (snapshots) of both sides"),
        ({**ALL_ROWS, "snapshots": ()}, {**ALL_ROWS, "snapshots": ()}, "",
         "a further statement of the exchange"),
    ],
)  # fmt: skip
def test_only_what_is_absent_is_asked_for(
    mine: dict[str, Any], theirs: dict[str, Any], words: str, decides: str
) -> None:
    """Fills or movements are rows, even if there are none of them; orders alone are said."""
    given = session(side((), {"EUR": "5"}, **mine), side((), {"EUR": "3"}, **theirs)).recorded
    found = unexplained(prover_of(given), {"cash::EUR": Decimal(2)})
    assert found.text == f"no one or two faults that the rows show account for EUR +2{words}"
    assert found.decides == decides
    assert unexplained(prover_of(given), {}, "more").decides == "more"


def caused(kind: CauseKind, cash: str) -> Explanation:
    cause = Cause(kind, LedgerSide.INTERNAL, (), Effect(cash={"EUR": Decimal(cash)}), "")
    return replace(SAID, causes=(cause,), text=f"{kind} {cash}")


def test_alternatives_differ_in_kind_or_amount() -> None:
    """Those that do not are one; of many the first five are shown, and all are counted."""
    one, other = caused(CauseKind.UNIT, "5"), caused(CauseKind.UNIT, "6")
    prover = prover_of(session(side((), {"EUR": "5"}), side((), {"EUR": "3"})).recorded)
    assert alternatives(prover, [one, replace(one, text="other")]) == (one,)
    for found in ([one, other], [one, caused(CauseKind.ALIAS, "5")]):
        told = alternatives(prover, found)
        assert [each.text for each in told] == [
            f"2 explanations fit; the fills of both sides would decide. {each.text}"
            for each in found
        ]
        assert {(each.verdict, each.alternatives) for each in told} == {
            (ExplanationVerdict.AMBIGUOUS, 2)
        }
    many = alternatives(prover, [caused(CauseKind.UNIT, str(number)) for number in range(7)])
    assert (len(many), many[0].alternatives) == (5, 7)


FILLS = [fill(f"f{at_}", "BUY", "2", "100", time=at(at_)) for at_ in range(7)]
PAID = moved("m1", "interest", "5 EUR")
SPLIT = moved("s1", "split", symbol="A/EUR", quantity=Decimal(3))
BOTH = moved("b1", "dividend", "5 EUR", symbol="A/EUR", quantity=Decimal(3))
ROWS: list[tuple[Sequence[Row], str]] = [
    ([], "its rows"),
    (FILLS[:1], "fill f0 (BUY 2 BTC/EUR at 100, 2026-01-01T12:00:00Z)"),
    (FILLS[:2], "2 fills (f0, f1)"),
    (FILLS[:5], "5 fills (f0, f1, f2, f3, f4)"),
    (FILLS, "7 fills (f0, f1, f2, f3, f4 and 2 more)"),
    ([*FILLS[:1], PAID], "2 rows (f0, m1)"),
    ([PAID], "interest m1 (5 EUR, 2026-01-01T12:00:00Z)"),
    ([SPLIT], "split s1 (3 A/EUR, 2026-01-01T12:00:00Z)"),
    ([BOTH], "dividend b1 (5 EUR and 3 A/EUR, 2026-01-01T12:00:00Z)"),
]


@pytest.mark.parametrize(("rows", "words"), ROWS)
def test_rows_in_words(rows: Sequence[Row], words: str) -> None:
    """One in full, of several their number and the first five ids."""
    assert rows_text(rows) == words


def test_a_fee_and_an_order_are_said() -> None:
    """A fill without them is shorter."""
    row = fill("f1", "SELL", "2", "100", "0.2 EUR", time=at(0), client_order_id="o1")
    assert row_text(row) == (
        "fill f1 of order o1 (SELL 2 BTC/EUR at 100, fee 0.2 EUR, 2026-01-01T12:00:00Z)"
    )


def test_amounts_in_words() -> None:
    """Signed, positions first and then by name, nothing of what is 0."""
    given = {"cash::EUR": "-5", "cash::BTC": "2", "position::B": "0", "position::C": "1"}
    assert vector_text(decimals(given)) == "C +1, BTC +2, EUR -5"
    assert off_text(decimals({"cash::EUR": "0.01"})) == (
        "; EUR +0.01 remains, no more than was rounded off"
    )
    assert off_text({}) == ""


def test_a_patch_in_words() -> None:
    """What of each kind of row is removed and added."""
    one, two = FILLS[:1], FILLS[:2]
    opening = Opening(at(0), (), ())
    assert change_text(Patch(tuple(one), tuple(two))) == "1 fill removed, 2 fills added"
    assert change_text(Patch((), (), (PAID, PAID), (PAID,), opening, opening)) == (
        "2 movements removed, 1 movement added, the opening corrected"
    )
    assert change_text(Patch()) == ""


def hypothesis(rows: list[Fill], detail: str = "", count: int = 1) -> Hypothesis:
    kind = CauseKind.DUPLICATE_FILL
    return Hypothesis(
        kind, Patch(tuple(rows)), tuple(rows), detail=detail, facts=Facts(count=count)
    )


CAUSES: list[tuple[Hypothesis, Sequence[Row], int, str]] = [
    (hypothesis(FILLS[:1]), FILLS[:1], 1, "00Z) twice"),
    (hypothesis(FILLS[:1], "by id"), FILLS[:1], 1, "00Z) twice (by id)"),
    (hypothesis(FILLS[:1]), FILLS[:3], 1, "00Z) twice; one of 3 equal fills"),
    (hypothesis(FILLS[:2]), FILLS[:3], 2, "(f0, f1) twice; 2 of 3 equal fills"),
    (hypothesis(FILLS[:2]), FILLS[:2], 2, "2 fills (f0, f1) twice"),
    (hypothesis(FILLS[:2]), FILLS[:2], 0, "2 fills (f0, f1) twice"),
    (hypothesis(FILLS[:2], "2 of them", 2), FILLS[:2], 2, "2 fills (f0, f1) twice"),
    (hypothesis(FILLS[:2], "2 of them", 1), FILLS[:2], 2, "2 fills (f0, f1) twice (2 of them)"),
    (hypothesis(FILLS[:1], "2 of them", 2), FILLS[:1], 1, "00Z) twice (2 of them)"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "rows", "count", "words"), CAUSES)
def test_a_cause_in_words(given: Hypothesis, rows: Sequence[Row], count: int, words: str) -> None:
    """Its detail unless the sentence has it, and of how many equal rows it is."""
    for at_side, subject in ((LedgerSide.EXTERNAL, "the external side"), (None, "one side")):
        found = cause_text(given, at_side, rows, required_count=count)
        assert found.startswith(f"{subject} ")
        assert found.endswith(words)
