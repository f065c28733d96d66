"""Another name: a symbol or a currency of one side that the other side calls otherwise."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Final

from recon_core.compare.keys import encode_key
from recon_core.explain.causes.family import CauseFamily, FieldFault, Rival
from recon_core.explain.problem.dimensions import (
    Dimensions,
    bare_name,
    is_position,
    key_of,
    label_of,
    minus,
    plus,
    state_part,
)
from recon_core.explain.problem.hypotheses import Hypothesis, Row
from recon_core.explain.problem.pairs import FEWEST_PAIRS, PairRow, SharedFault, differing_in
from recon_core.explain.problem.patches import Patch
from recon_core.explain.problem.problem import FaultIn, Problem
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill, LedgerSide, Position, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import ZERO
from recon_core.values.printable import printable

_PAIR: Final = 2
"""Causes of one fill under the wrong symbol: it is too many there, and lacks here."""


def _in_pairs(rows: Sequence[PairRow], _fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that several rows have another symbol, always the same."""
    wrong = differing_in(rows, "symbol")
    names = {(row.at.symbol, row.right.symbol) for row in wrong}
    if len(wrong) < FEWEST_PAIRS or len(names) != 1:
        return None
    ((mine, other),) = names
    return SharedFault(CauseKind.ALIAS, f"{mine} is {other}", ("symbol",), wrong)


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield names that only this side has with the amounts of a name that only the other has."""
    mine: dict[str, dict[str, Decimal]] = {}
    theirs: dict[str, dict[str, Decimal]] = {}
    for name in states.differing:
        first, second = states.stated.get(name, ZERO), states.other.get(name, ZERO)
        if not second:
            mine.setdefault(bare_name(name), {})[_suffix(name)] = first
        if not first:
            theirs.setdefault(bare_name(name), {})[_suffix(name)] = second
    for name, amounts in mine.items():
        is_symbol = is_position(name)
        equal = [
            one for one, held in theirs.items() if held == amounts and is_position(one) == is_symbol
        ]
        if len(equal) == 1 and not _are_of_one_side(states, name, equal[0]):
            names = [f"{one}{suffix}" for one in (name, equal[0]) for suffix in amounts]
            first_name, second_name = (label_of(one) for one in (name, equal[0]))
            detail = f"{first_name} is what the other side calls {second_name}"
            hypothesis = states.hypothesis(CauseKind.ALIAS, tuple(names), detail)
            own, others = (_row_name(states, one) for one in (name, equal[0]))
            yield replace(hypothesis, renamed=(own, others))


def _are_of_one_side(states: States, name: str, other: str) -> bool:
    """True if the fills of one side are of both names: they are two instruments or currencies."""
    pair = {key_of(name), key_of(other)}
    for record in states.recorded.own_records().values():
        fills = record.fill_rows
        symbols = {fill.symbol for fill in fills}
        known = symbols
        if not is_position(name):
            traded = [one for one in states.recorded.instruments.values() if one.symbol in symbols]
            known = {each for one in traded for each in (one.base, one.quote)}
        if pair <= set(map(encode_key, known)):
            return True
    return False


def _row_name(states: States, name: str) -> str:
    """Return a dimension's symbol or currency as rows state it: its key may be encoded."""
    key = key_of(name)
    stated = (
        row.symbol if isinstance(row, Position) else row.currency
        for record in states.recorded.own_records().values()
        for row in (record.position_rows if is_position(name) else record.cash_rows)
    )
    return next((own for own in stated if encode_key(own) == key), key)


def currencies_of_rows(
    ours: Collection[str], theirs: Collection[str], pairs: Iterable[tuple[Row, Row]]
) -> dict[str, str]:
    """Return the ledger's currencies that the other side's rows call otherwise, with that name.

    `ours` and `theirs` are all names of the ledger and of the other side, `pairs` rows of one
    execution or movement, the ledger's first. Each name is used by its own side alone, in no row
    and no figure of the other, and all pairs agree on it.
    """
    found = {
        (first, second)
        for mine, right in pairs
        for first, second in [(_currency(mine), _currency(right))]
        if first and second and first != second
    }
    named = Counter(name for pair in found for name in pair)
    return {
        first: second
        for first, second in sorted(found)
        if first not in theirs and second not in ours and named[first] == named[second] == 1
    }


def _currency(row: Row) -> str | None:
    """Return the currency of a movement or of a fee, `None` for a fill without a fee."""
    if isinstance(row, Fill):
        return row.fee_currency if row.fee else None
    return row.currency


def renamed_currencies(
    dimensions: Dimensions, recorded: RecordedSession, names: Mapping[str, str]
) -> tuple[StateHypothesis, ...]:
    """Build the faults that a side has other names, of the side whose names are not declared."""
    declared = {*recorded.currencies} | {
        each
        for one in recorded.instruments.values()
        for each in (one.base, one.quote, one.settlement)
    }
    side = LedgerSide.INTERNAL
    if any(mine in declared and other not in declared for mine, other in names.items()):
        side = LedgerSide.EXTERNAL
    pairs = [pair if side is LedgerSide.INTERNAL else pair[::-1] for pair in names.items()]
    record = recorded.side(side)
    rows = (record.cash if record else None) or ()
    found = []
    for own, other in pairs:
        moved: dict[str, Decimal] = {}
        for row in rows:
            if row.currency == own and row.total:
                moved[dimensions.cash(own, row.account)] = row.total.copy_negate()
                moved[dimensions.cash(other, row.account)] = row.total
        detail = f"{printable(own)} is what the other side calls {printable(other)}"
        found.append(StateHypothesis(CauseKind.ALIAS, side, moved, detail, renamed=(own, other)))
    return tuple(found)


def _state_doubt(
    _dimensions: Dimensions, recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt another name of what one fill has, if the session declares both.

    The fill may be of the other instrument.
    """
    declared = recorded.instruments
    bases = {each.base for each in declared.values()}
    for one in chosen:
        names = one.renamed or ("", "")
        if not declared.keys() >= set(names) and not bases.issuperset(names):
            continue
        amounts = {amount.copy_abs() for amount in one.correction.values()}
        named = zip((one.side, one.side.other), names, strict=True)
        if any(_is_one_fill(recorded, side, name, amounts) for side, name in named):
            return f"another fill of {printable(names[0])} or {printable(names[1])}"
    return ""


def _is_one_fill(
    recorded: RecordedSession, side: LedgerSide, name: str, amounts: Collection[Decimal]
) -> bool:
    """True if one fill of a symbol or of a base has an amount, or is the only one of it."""
    record, instruments = recorded.side(side), recorded.instruments
    meant = {symbol for symbol, one in instruments.items() if name in {one.symbol, one.base}}
    found = [fill for fill in (record.fill_rows if record else ()) if fill.symbol in meant]
    return len(found) == 1 or any(fill.quantity in amounts for fill in found)


def _rivals(
    problem: Problem, hypotheses: Sequence[Hypothesis], _max_skew: timedelta
) -> Iterator[Rival]:
    """Yield a fill under another symbol, in place of its removal and of as much in that symbol."""
    if problem.fault_in is FaultIn.STATEMENT or len(hypotheses) < _PAIR:
        return
    for first, second in permutations(range(len(hypotheses)), _PAIR):
        one, other = hypotheses[first].patch, hypotheses[second].patch
        symbols = {fill.symbol for fill in (*other.removed, *other.added)}
        if len(one.removed) != 1 or one.added or len(symbols) != 1:
            continue
        (fill,) = one.removed
        moved = replace(fill, symbol=symbols.pop())
        patch = Patch((fill,), (moved,))
        both = plus(one.vector(problem.postings), other.vector(problem.postings))
        same = minus(patch.vector(problem.postings), both)
        if moved.symbol != fill.symbol and not problem.dimensions.real(state_part(same)):
            detail = f"{printable(fill.symbol)} is {printable(moved.symbol)}"
            alias = Hypothesis(CauseKind.ALIAS, patch, (fill,), detail=detail, side=problem.side)
            yield Rival({first: (), second: ()}, alias, "", is_timed=True)


def _suffix(name: str) -> str:
    return name[len(bare_name(name)) :]


FAMILY: Final = CauseFamily(
    sentences={CauseKind.ALIAS: sentence_of("{subject} uses another name")},
    in_pairs=(_in_pairs,),
    fields={"symbol": lambda _wrong, _right: FieldFault(CauseKind.ALIAS)},
    in_states=_in_states,
    state_doubt=_state_doubt,
    rivals=_rivals,
    state_words={CauseKind.ALIAS: "uses another name"},
)
