"""Two faults, one after the other: the second is searched for in the residual of the first.

Example: +7 USDT are required. Turning the sign of all fees has the effect +6 USDT. With that
patch the residual is +1 USDT: the effect of removing a duplicate withdrawal of 1 USDT. The first
hypothesis is systematic, an interpretation of an order, a group of foreign fills, or on a
movement or the opening. Where a snapshot is between two faults, the difference at it is the
effect of the first alone. Where one fault is removed, the residual cash divided by the residual
position is the price of a fill with a wrong quantity.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import chain, compress, islice
from operator import not_
from typing import Final

from recon_core.explain.budget import OF_A_REPLAY, Budget
from recon_core.explain.causes.cumulative import cumulative
from recon_core.explain.causes.fee_rate import at_other_rate
from recon_core.explain.causes.foreign import others
from recon_core.explain.causes.quantity import any_quantity, quantities_with_slip
from recon_core.explain.problem.chances import is_any_quantity
from recon_core.explain.problem.dimensions import (
    Vector,
    is_cash,
    is_order,
    is_position,
    state_part,
)
from recon_core.explain.problem.hypotheses import Hypothesis, Strength
from recon_core.explain.problem.market import Market, market_of, paid_in, ticks_of
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.snapshots import Between
from recon_core.explain.search.candidates import Found, candidates
from recon_core.explain.search.fill_hypotheses import FillHypotheses
from recon_core.explain.search.fitted_faults import fitted
from recon_core.explain.search.order_interpretation import OrderInterpretation
from recon_core.explain.search.pair_search import PairSearch
from recon_core.explain.search.search import Search
from recon_core.explain.search.systematic_faults import reducing, spans, systematic
from recon_core.model import Fill, InstrumentKind, SideRecord
from recon_core.values.amounts import EXACT, ZERO

_OF_A_SECOND: Final = 8
"""Operations per fill of one search for the second hypothesis, posted rows not counted."""

_OF_AN_OPEN_SECOND: Final = 60
"""Operations per fill in addition, where open positions are followed for each quantity."""

_OF_ALL_SYSTEMATIC: Final = 20
"""Operations per fill for all systematic faults, posted rows not counted."""

_MOST_FIRST: Final = 60
"""First hypotheses that are followed: each costs a search or a replay of all fills."""

_MOST_REPLAYED: Final = 200
"""First hypotheses that are followed by replay where the budget allows more than `_MOST_FIRST`:
each costs `OF_A_REPLAY` operations per fill and is one more chance of a coincidence."""

_UNITS_EACH: Final = 8
"""Amounts on either side of the required one that are tried per first hypothesis. n first
hypotheses leave n residuals; if hypotheses meet none of 16 n amounts nearby, the chance that they
meet one of the n residuals by coincidence is about 1 in 16."""

_MOST_OTHERS: Final = 40
"""Hypotheses on movements and the opening up to which they are tried as the first one: each costs
a search of all fills."""

_PAIR: Final = 2
"""Faults of a pair: of more disagreeing orders at least one would remain."""

_TRIED: Final = 30
"""Searches for a fitted number, about as many as there are systematic first hypotheses: the number
must be unlikely in all of them together."""

_OF_A_FITTED: Final = 4
"""Operations per fill of a search for one fitted number, posted rows not counted."""

_MOST_FIRST_EFFECTS: Final = 60
"""Distinct effects of a first hypothesis that are followed, each with a search of all fills. If
there are more, none is proven: an unseen one might fit as well."""

_OF_A_FIRST: Final = 30
"""Operations for one first hypothesis: its residual, the prices and a look-up of fills."""

_OF_A_QUANTITY: Final = 20
"""Operations for one second hypothesis, a quantity of a fill, posted rows not counted."""

_MOST_FILLS: Final = 2_000
"""Fills of a problem. Each costs 60 operations or more, and the more fills there are, the more
residual prices are the price of some fill by coincidence."""

_FIRST: Final = ("remove", "flip", "repeat")


@dataclass
class Nested:
    """Pairs of one problem whose second hypothesis is searched for with the first patch applied."""

    search: Search

    def after_positions(self) -> Iterator[Found]:
        """Yield pairs: a hypothesis with the required positions, then one with the residual cash.

        For cash that depends on open positions: a replay of the first patch makes it known.
        """
        problem = self.search.problem
        wrong_quantities = islice(quantities_with_slip(problem), _MOST_FIRST)
        firsts = [
            *self._firsts(problem, self._most_replays),
            *cumulative(problem),
            *wrong_quantities,
        ]
        for first in firsts:
            after = self._by_replay(first)
            if after is None or not after.required or any(map(is_position, after.required)):
                continue
            search = Search(after, self.search.budget)
            hypotheses = search.single_faults()
            within = len(firsts) * _UNITS_EACH
            near_matches = PairSearch(search).near_matches(within) if hypotheses else 0
            for hypothesis in hypotheses:
                # Float noise lets many effects fit almost, but few to all digits.
                exact = after.dimensions.dust and after.is_close(
                    hypothesis.patch.vector(after.postings)
                )
                by_chance = near_matches > (within if exact else 0)
                yield (
                    first,
                    replace(hypothesis, strength=Strength.CHANCE) if by_chance else hypothesis,
                )

    def pairs(self) -> Iterator[Iterator[Found]]:
        """Yield steps of the search; each yields pairs that together have the required effect.

        First hypotheses with the whole required effect in some dimension are followed first.
        """
        problem = self.search.problem
        self.search.budget.spend(len(problem.fills) * _OF_ALL_SYSTEMATIC)
        firsts = [*self._of_an_order, *reducing(problem), *others(problem), *self._few_others]
        complete = [_has_complete_dimension(problem, first) for first in firsts]
        yield self._after_each(compress(firsts, complete))
        yield self._after_each(compress(firsts, map(not_, complete)))
        yield self._of_quantities()

    def _after_each(self, firsts: Iterable[Hypothesis]) -> Iterator[Found]:
        for first in firsts:
            seconds = self._single_faults(self._after(first))
            yield from ((first, *second) for second in seconds if len(second) == 1)

    def _of_quantities(self) -> Iterator[Found]:
        problem = self.search.problem
        yield from QuantityPairs(problem, self.search.fill_hypotheses, self.search.budget).pairs()
        yield from self._with_a_slip(problem)
        yield from self._with_a_rate(problem)

    @property
    def _of_an_order(self) -> list[Hypothesis]:
        """Interpretations of orders, if each disagreeing order may be one of the two faults."""
        search = self.search
        orders = sum(is_order(name) for name in search.problem.required)
        interpretation = OrderInterpretation(search.problem, search.fill_hypotheses, search.budget)
        return interpretation.of_each_order() if orders <= _PAIR else []

    @property
    def _few_others(self) -> list[Hypothesis]:
        """Hypotheses on movements and the opening, if they are few."""
        hypotheses = self.search.others
        return hypotheses if len(hypotheses) <= _MOST_OTHERS else []

    def _after(self, first: Hypothesis) -> Problem:
        """Return the problem with the first patch applied, its cash by replay for derivatives."""
        problem = self.search.problem
        after = problem.after(first.patch)
        replayed = self._by_replay(first) if self._has_derivative else None
        return after if replayed is None else replace(after, exact=replayed.exact)

    def _single_faults(self, problem: Problem) -> Iterator[Found]:
        search = Search(problem, self.search.budget, extra=list(others(problem)))
        hypotheses = search.fill_hypotheses
        is_open = bool(problem.settlement_balances)
        each = _OF_A_SECOND + (_OF_AN_OPEN_SECOND if is_open else 0)
        self.search.budget.spend(len(problem.fills) * each)
        yield from ((hypothesis,) for hypothesis in search.single_faults())
        yield from ((hypothesis,) for hypothesis in spans(problem, self.search.max_skew))
        whole = systematic(problem)
        yield from ((hypothesis,) for hypothesis in whole if problem.reached_by(hypothesis.patch))
        yield from ((hypothesis,) for hypothesis in fitted(problem, _TRIED))
        yield from OrderInterpretation(problem, hypotheses, self.search.budget).interpretations()

    def _with_a_slip(self, problem: Problem) -> Iterator[Found]:
        """Yield a mistyped quantity with the required position, then one fault of the cash."""
        firsts = list(islice(quantities_with_slip(problem), _MOST_FIRST))
        for first in firsts:
            after = problem.after(first.patch)
            if after.required:
                yield from (
                    (first, hypothesis)
                    for hypothesis in Search(after, self.search.budget).single_faults()
                )

    def _with_a_rate(self, problem: Problem) -> Iterator[Found]:
        """Yield a hypothesis with the required positions, then another rate for all fees.

        If no position is required, the first is a hypothesis on a movement or the opening.
        """
        moved = any(map(is_position, problem.required))
        for first in self._firsts(problem) if moved else self.search.others[:_MOST_FIRST]:
            after = self._replayed(first)
            if after is None or not after.required or any(map(is_position, after.required)):
                continue
            self.search.budget.spend(len(after.fills) * _OF_A_SECOND)
            for name in after.required:
                if is_cash(name):
                    yield from ((first, rate) for rate in at_other_rate(after, after.fills, name))

    def _replayed(self, first: Hypothesis) -> Problem | None:
        """Return the problem with the first patch applied, by replay if there are derivatives."""
        if not self._has_derivative:
            return self.search.problem.after(first.patch)
        return self._by_replay(first)

    @cached_property
    def _has_derivative(self) -> bool:
        problem = self.search.problem
        return any(map(problem.postings.derivative, problem.rows.symbols))

    def _by_replay(self, first: Hypothesis) -> Problem | None:
        problem = self.search.problem
        self.search.budget.spend(len(problem.fills) * OF_A_REPLAY)
        return problem.replayed_after(first.patch)

    @property
    def _most_replays(self) -> int:
        """Replays for half of the budget, at least `_MOST_FIRST` and at most `_MOST_REPLAYED`."""
        replays = self.search.budget.left // (
            2 * OF_A_REPLAY * max(1, len(self.search.problem.fills))
        )
        return max(_MOST_FIRST, min(replays, _MOST_REPLAYED))

    def _firsts(self, problem: Problem, most: int = _MOST_FIRST) -> list[Hypothesis]:
        """Return the hypotheses with the required positions, one of each group of equal fills.

        Equal fills of a derivative are all returned: their PnL differs.
        """
        found = [(hypothesis,) for hypothesis in self.search.for_positions()]
        members = (one.members for one in candidates(problem, found))
        return [hypothesis for (hypothesis,) in islice(chain.from_iterable(members), most)]


def _has_complete_dimension(problem: Problem, first: Hypothesis) -> bool:
    """True if a first hypothesis leaves fewer dimensions with a required effect, and no new one."""
    left = problem.left(first.patch.vector(problem.postings))
    return left.keys() < problem.required.keys()


@dataclass
class SnapshotPairs:
    """Pairs of one problem whose first hypothesis a snapshot shows alone."""

    search: Search

    def pairs(self) -> Iterator[Found]:
        """Yield each first hypothesis with each second one that has the residual effect."""
        problem, between = self.search.problem, self.search.problem.divergence.differs
        if between is None or not _shows_first(problem, between):
            return
        groups = _by_effect(problem, self._single_faults(_until(problem, between)))
        for firsts in islice(groups, _MOST_FIRST_EFFECTS):
            after = problem.after(firsts[0].patch)
            seconds = self._single_faults(after) if after.required else []
            for first in firsts:
                own = (
                    replace(first, strength=Strength.CHANCE)
                    if len(groups) > _MOST_FIRST_EFFECTS
                    else first
                )
                yield from ((own, second) for second in seconds if _are_independent(first, second))

    def _single_faults(self, problem: Problem) -> list[Hypothesis]:
        """Return the hypotheses that alone have the required effect: exact, or else fitted."""
        search = Search(problem, self.search.budget)
        found = search.single_faults()
        if not found:
            self.search.budget.spend(len(problem.fills) * _OF_A_FITTED)
            found = list(fitted(problem))
        return found


def _shows_first(problem: Problem, between: Between) -> bool:
    """True if a snapshot shows all dimensions and another difference than the end."""
    if any(map(problem.postings.derivative, {fill.symbol for fill in problem.fills})):
        return False  # cash of an open derivative depends on later fills
    compared = [name for name in problem.dimensions.compared if is_position(name) or is_cash(name)]
    required = state_part(problem.dimensions.real(problem.required))
    return all(map(between.is_known, compared)) and dict(between.required) != required


def _until(problem: Problem, between: Between) -> Problem:
    """Return the problem as it was at a snapshot."""
    return replace(
        problem,
        record=_rows_until(problem.record, between),
        required=dict(between.required),
        exact=dict(between.required),
        tolerance={},
        unknown=frozenset(),
        orders={},
        before=None,
    )


def _rows_until(record: SideRecord, between: Between) -> SideRecord:
    movements = record.movements
    return replace(
        record,
        fills=tuple(fill for fill in record.fill_rows if fill.time <= between.time),
        movements=None
        if movements is None
        else tuple(row for row in movements if row.time <= between.time),
    )


def _by_effect(problem: Problem, hypotheses: Iterable[Hypothesis]) -> list[list[Hypothesis]]:
    """Group hypotheses with equal effects."""
    groups: dict[str, list[Hypothesis]] = {}
    for hypothesis in hypotheses:
        effect = hypothesis.patch.vector(problem.postings)
        key = str(sorted((name, amount.normalize()) for name, amount in effect.items() if amount))
        groups.setdefault(key, []).append(hypothesis)
    return list(groups.values())


def _are_independent(first: Hypothesis, second: Hypothesis) -> bool:
    """True if the second hypothesis changes no row that the first removes or adds."""
    return not first.patch.has_common_row(second.patch) and not second.patch.builds_on(first.patch)


@dataclass
class QuantityPairs:
    """Pairs of one problem whose second hypothesis is a wrong quantity."""

    problem: Problem
    hypotheses: FillHypotheses
    budget: Budget

    def pairs(self) -> Iterator[Found]:
        """Yield pairs: a fill removed, repeated or turned, then a quantity with the residual."""
        problem = self.problem
        if len(problem.fills) > _MOST_FILLS or problem.unknown:
            return
        names = self.hypotheses.names(*_FIRST)
        for fill in problem.fills:
            self.budget.spend(_OF_A_FIRST * len(names))
            for name in names:
                first = self.hypotheses.hypothesis(fill, name)
                residual = problem.left(first.patch.vector(problem.postings))
                for second in self._seconds(residual):
                    self.budget.spend(_OF_A_QUANTITY)
                    both = first.patch.joined(second.patch)
                    if second.rows[0] is not fill and problem.reached_by(both):
                        yield first, second

    def _seconds(self, residual: Vector) -> Iterator[Hypothesis]:
        positions = [name for name in residual if is_position(name)]
        market = self._by_position.get(positions[0]) if len(positions) == 1 else None
        if market is None or any(is_order(name) for name in residual):
            return
        required = residual[positions[0]]
        cash = self.problem.postings.cash(paid_in(market.instrument), market.fills[0].account)
        for price in _prices(market, required, residual.get(cash, ZERO)):
            for fill in self._priced.get((positions[0], price), ()):
                by_chance = is_any_quantity(self.problem, market, required, self._tried)
                for hypothesis in any_quantity(self.problem, market, fill, required):
                    is_slip = hypothesis.facts.is_slip
                    yield (
                        hypothesis
                        if is_slip or not by_chance
                        else replace(hypothesis, strength=Strength.CHANCE)
                    )

    @property
    def _tried(self) -> int:
        return len(self.problem.fills) * len(_FIRST)

    @cached_property
    def _by_position(self) -> dict[str, Market]:
        found = {name: market_of(self.problem, name) for name in self.problem.by_symbol}
        return {
            name: market
            for name, market in found.items()
            if market is not None
            and market.instrument.instrument_kind is not InstrumentKind.INVERSE
        }

    @cached_property
    def _priced(self) -> dict[tuple[str, Decimal], list[Fill]]:
        found: dict[tuple[str, Decimal], list[Fill]] = {}
        for name, market in self._by_position.items():
            for fill in market.fills:
                found.setdefault((name, fill.price), []).append(fill)
        return found


def _prices(market: Market, required: Decimal, cash: Decimal) -> set[Decimal]:
    """Return the prices at which the required quantity costs the cash, without or with a fee."""
    worth, found = EXACT.multiply(required, market.instrument.multiplier), set[int]()
    for fixed, share in market.shares:
        paid, per_unit = EXACT.add(cash, fixed), EXACT.multiply(worth, share)
        if (paid > 0 > per_unit) or (paid < 0 < per_unit):
            found.add(ticks_of(paid.copy_abs(), per_unit.copy_abs(), market.tick_places))
    return {Decimal(count).scaleb(-market.tick_places, EXACT) for count in found if count}
