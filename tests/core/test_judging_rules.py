"""The algebra of verdicts: symmetric, free of units, monotone, and exact."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, example, given
from hypothesis import strategies as st

from recon_core.policy import Policy, PositionPolicy
from recon_core.values.amounts import EXACT

from .builders import (
    RANKS,
    RELATIVE_ONLY,
    amounts,
    judged_cash,
    judged_position,
    scaled,
)


def expected_position(internal: Decimal, external: Decimal, limit: Decimal | None) -> str:
    """The rule once more, with fractions and divisions."""
    ours, theirs = Fraction(internal), Fraction(external)
    if ours == theirs:
        return "match"
    drift = abs(ours - theirs) / max(abs(ours), abs(theirs))
    if limit is not None and abs(ours - theirs) <= Fraction(limit):
        return "INFO"
    return "INFO" if drift < Fraction(1, 1000) else "WARN" if drift <= Fraction(1, 100) else "FAIL"


def expected_cash(internal: Decimal, external: Decimal) -> str:
    """The rule once more: 1 EUR, or half a percent of the larger total."""
    ours, theirs = Fraction(internal), Fraction(external)
    limit = min(Fraction(1), max(abs(ours), abs(theirs)) / 200)
    return "match" if ours == theirs else "INFO" if abs(ours - theirs) <= limit else "FAIL"


@st.composite
def near_pairs(draw: st.DrawFn) -> tuple[Decimal, Decimal]:
    """Two amounts, often a drift apart that is near a threshold."""
    first = draw(amounts())
    share = draw(st.sampled_from(["0.001", "0.01", "0.005", "1", "0"]))
    nudge = scaled(draw(st.integers(-3, 3)))
    near = EXACT.multiply(first, EXACT.subtract(Decimal(1), Decimal(share)))
    second = draw(st.one_of(st.just(EXACT.add(near, nudge)), amounts()))
    return first, second


@given(near_pairs(), st.one_of(st.none(), amounts(positive=True)))
def test_positions_agree_with_the_rule_in_fractions(
    pair: tuple[Decimal, Decimal], limit: Decimal | None
) -> None:
    """No rounding stands between two quantities and their verdict."""
    absolute: Mapping[str, Decimal] = {} if limit is None else {"BTC/*": limit}
    policy = Policy(position=PositionPolicy(absolute=absolute))
    assert judged_position(*pair, policy).verdict == expected_position(*pair, limit)


@given(near_pairs())
def test_cash_agrees_with_the_rule_in_fractions(pair: tuple[Decimal, Decimal]) -> None:
    """No rounding stands between two balances and their verdict."""
    assert judged_cash(*pair).verdict == expected_cash(*pair)


@given(near_pairs())
def test_verdicts_are_symmetric_in_the_sides(pair: tuple[Decimal, Decimal]) -> None:
    """Swapping the sides turns the delta's sign and nothing else."""
    for judged in (judged_position, judged_cash):
        one, other = judged(*pair), judged(*reversed(pair))
        assert one.verdict == other.verdict
        if one.diff is not None and other.diff is not None:
            assert one.diff.delta is not None
            assert one.diff.delta.copy_negate() == other.diff.delta
            assert (one.diff.drift, one.diff.tolerance) == (other.diff.drift, other.diff.tolerance)


@given(near_pairs(), amounts(positive=True))
@example((Decimal("0.1"), Decimal("0.0999")), Decimal(3))
def test_verdicts_do_not_change_when_both_sides_are_scaled(
    pair: tuple[Decimal, Decimal], factor: Decimal
) -> None:
    """Relative limits know no unit: positions, and cash where only 0.5 % counts."""
    one, other = (EXACT.multiply(amount, factor) for amount in pair)
    assert judged_position(*pair).verdict == judged_position(one, other).verdict
    verdict = judged_cash(*pair, RELATIVE_ONLY).verdict
    assert verdict == judged_cash(one, other, RELATIVE_ONLY).verdict


@given(amounts(), amounts(positive=True), amounts(positive=True), st.sampled_from([1, -1]))
def test_a_larger_delta_is_never_milder(
    external: Decimal, smaller: Decimal, larger: Decimal, direction: int
) -> None:
    """Moving one side further away never lowers the severity."""
    assume(smaller <= larger)
    for judged in (judged_position, judged_cash):
        moved = [
            EXACT.add(external, EXACT.multiply(delta, Decimal(direction)))
            for delta in (smaller, larger)
        ]
        near, far = (RANKS[judged(internal, external).verdict] for internal in moved)
        assert near <= far


@given(near_pairs())
def test_equal_values_and_only_they_match(pair: tuple[Decimal, Decimal]) -> None:
    """A difference in the 30th decimal is a diff; trailing zeros are none."""
    for judged in (judged_position, judged_cash):
        assert (judged(*pair).verdict == "match") == (Fraction(pair[0]) == Fraction(pair[1]))
