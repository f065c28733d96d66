"""Which diff gets which explanation, and that none of it changes a verdict."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain.on_demand import explainer
from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import (
    Booking,
    Cause,
    CauseKind,
    Effect,
    Effort,
    Explanation,
    ExplanationVerdict,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
LOST = EXAMPLES / "explain/lost_fill.recon.json"
CLEAR = EXAMPLES / "minimal/clear.recon.json"
BLOCKED = EXAMPLES / "minimal/blocked.recon.json"


def answer(verdict: ExplanationVerdict, *explains: str, text: str = "said") -> Explanation:
    return Explanation(verdict, explains=explains, text=text)


def attached(*explanations: Explanation, path: Path = BLOCKED) -> dict[str, str | None]:
    """The text of the explanation of every diff, by identity."""
    found = reconcile_session(path, explain=lambda _: explanations)
    return {
        diff.identity: None if diff.explanation is None else diff.explanation.text
        for diff in found.diffs
    }


UNIQUE, AMBIGUOUS = ExplanationVerdict.UNIQUE, ExplanationVerdict.AMBIGUOUS
BTC, ETH, EUR = "position::BTC/EUR", "position::ETH/EUR", "cash::EUR"


@pytest.mark.parametrize(
    ("explanations", "expected"),
    [
        ([], {BTC: None, ETH: None, EUR: None}),
        ([answer(UNIQUE, BTC)], {BTC: "said", ETH: None, EUR: None}),
        (
            [answer(UNIQUE, BTC, text="a"), answer(UNIQUE, EUR, text="b")],
            {BTC: "a", ETH: None, EUR: "b"},
        ),
        (
            [answer(AMBIGUOUS, BTC, text="a"), answer(AMBIGUOUS, BTC, text="b")],
            {BTC: "a", ETH: "a", EUR: "a"},
        ),
        ([answer(ExplanationVerdict.UNEXPLAINED)], {BTC: "said", ETH: "said", EUR: "said"}),
        ([answer(ExplanationVerdict.NOT_SEARCHED)], {BTC: "said", ETH: "said", EUR: "said"}),
        (
            [answer(ExplanationVerdict.PARTIAL, EUR, text="a"), answer(UNIQUE, BTC, text="b")],
            {BTC: "b", ETH: "a", EUR: "a"},
        ),
    ],
)
def test_each_diff_gets_its_explanation(
    explanations: list[Explanation], expected: dict[str, str | None]
) -> None:
    """The one that names it; where nothing is proven the first one."""
    assert attached(*explanations) == expected


def verdicts(reconciliation: Reconciliation) -> list[tuple[str, str]]:
    return [(one.comparison.identity, one.verdict) for one in reconciliation.judgements]


@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.recon.json")), ids=lambda path: path.stem)
@pytest.mark.parametrize("effort", Effort)
def test_no_verdict_depends_on_it(path: Path, effort: Effort) -> None:
    """Every example has the same verdicts, messages and diffs with and without."""
    plain = reconcile_session(path)
    explained = reconcile_session(path, explain=explainer(effort))
    assert verdicts(explained) == verdicts(plain)
    assert [replace(diff, explanation=None) for diff in explained.diffs] == plain.diffs
    assert explained.summary(run_id="r").counts_by_severity == (
        plain.summary(run_id="r").counts_by_severity
    )


def failing(error: BaseException) -> Callable[[Reconciliation], tuple[Explanation, ...]]:
    def explain(_: Reconciliation) -> tuple[Explanation, ...]:
        raise error

    return explain


@pytest.mark.parametrize(
    "error", [ValueError("\x1b[2J\n::error::"), RecursionError(), MemoryError(), KeyError("x")]
)
def test_an_error_in_the_search_is_an_answer(error: Exception) -> None:
    """Not searched, with the error made safe; the verdicts stand."""
    found = reconcile_session(BLOCKED, explain=failing(error))
    assert verdicts(found) == verdicts(reconcile_session(BLOCKED))
    (explanation,) = found.explanations
    assert explanation.verdict is ExplanationVerdict.NOT_SEARCHED
    assert type(error).__name__ in explanation.text
    assert explanation.text.isprintable()
    assert "::" not in explanation.text


def test_an_interruption_is_none() -> None:
    """Ctrl-C ends a run also while it searches."""
    found = reconcile_session(BLOCKED, explain=failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        _ = found.diffs


def test_the_search_runs_once_and_only_for_a_diff() -> None:
    """A session without diffs is never searched, one with many once."""
    asked = []

    def explain(reconciliation: Reconciliation) -> tuple[Explanation, ...]:
        asked.append(reconciliation.recorded.session_id)
        # What the search itself looks at is not explained again.
        assert all(
            reconciliation.judge_alone(one).diff is None
            or reconciliation.judge_alone(one).diff.explanation is None  # type: ignore[union-attr]
            for one in reconciliation.comparisons
        )
        return ()

    assert reconcile_session(CLEAR, explain=explain).diffs == []
    assert asked == []
    assert len(reconcile_session(BLOCKED, explain=explain).diffs) == 3
    assert asked == ["session_123"]
    assert reconcile_session(BLOCKED).explanations == ()


def test_a_diff_survives_another_process() -> None:
    """`from_dict` reads what `to_dict` wrote, through JSON, and what older versions wrote."""
    for diff in reconcile_session(LOST, explain=explainer(Effort.FAST)).diffs:
        assert diff.explanation is not None
        data = json.loads(json.dumps(diff.to_dict()))
        assert ReconDiff.from_dict(data) == diff
        del data["explanation"]
        assert ReconDiff.from_dict(data) == replace(diff, explanation=None)


def test_many_diffs_do_not_repeat_a_long_explanation() -> None:
    """A diff carries the first 20 of every list; the explanation itself is whole."""
    ids = tuple(f"f{number}" for number in range(5000))
    cause = Cause(CauseKind.STALE_SIDE, LedgerSide.INTERNAL, ids, Effect(), "behind " * 1000)
    booking = Booking("add_fill", LedgerSide.INTERNAL, {"fill_id": "f"}, "r", ids)
    long = Explanation(
        UNIQUE, causes=(cause,) * 300, explains=(EUR, *ids), text="x" * 9000,
        repair=(booking,) * 300,
    )  # fmt: skip
    found = reconcile_session(BLOCKED, explain=lambda _: (long,))
    (diff,) = [diff for diff in found.diffs if diff.identity == EUR]
    assert found.explanations == (long,)
    assert diff.explanation is not None
    assert len(json.dumps(diff.to_dict())) < 100_000
    assert len(diff.explanation.causes) == 20
    assert len(diff.explanation.text) < 1100


def test_a_short_explanation_is_attached_as_it_is() -> None:
    """Nothing is cut where nothing is long."""
    effect = Effect({"BTC/EUR": Decimal("-0.1")}, {"EUR": Decimal("4204.2")})
    cause = Cause(CauseKind.MISSING_FILL, LedgerSide.INTERNAL, ("f1",), effect, "lacks f1")
    booking = Booking("add_fill", LedgerSide.INTERNAL, {"fill_id": "f1"}, "lacks f1", (EUR,))
    short = Explanation(
        UNIQUE, LedgerSide.INTERNAL, (cause,), explains=(EUR,), text="lacks f1",
        proof="p", repair=(booking,),
    )  # fmt: skip
    found = reconcile_session(BLOCKED, explain=lambda _: (short,))
    assert [diff.explanation for diff in found.diffs if diff.identity == EUR] == [short]
    assert Explanation.from_dict(json.loads(json.dumps(short.to_dict()))) == short
