"""Netted hedge legs: a net position where the other side holds LONG and SHORT."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from recon_core.explain.causes.family import CauseFamily, FieldFault
from recon_core.explain.problem.dimensions import Dimensions
from recon_core.explain.problem.pairs import PairRow, SharedFault, are_most, differing_in
from recon_core.explain.problem.stated_figures import StateHypothesis, States
from recon_core.explain.problem.wording import sentence_of
from recon_core.model import Fill, Leg, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.values.amounts import EXACT, ZERO


def _in_pairs(rows: Sequence[PairRow], _fills: Sequence[Fill]) -> SharedFault | None:
    """Return the fault that most rows have no leg."""
    wrong = differing_in(rows, "leg")
    if not are_most(wrong, rows):
        return None
    return SharedFault(CauseKind.NETTED_LEGS, "LONG and SHORT are netted", ("leg",), wrong)


def _in_states(states: States) -> Iterator[StateHypothesis]:
    """Yield a net position where the other side holds LONG and SHORT separately."""
    legs: dict[tuple[str, str | None], dict[Leg, Decimal]] = {}
    for row in states.other_record.position_rows:
        if row.leg is not Leg.NET:
            legs.setdefault((row.symbol, row.account), {})[row.leg] = row.quantity
    for (symbol, account), quantities in legs.items():
        names = {leg: states.dimensions.position(symbol, leg, account) for leg in Leg}
        net = EXACT.add(quantities.get(Leg.LONG, ZERO), quantities.get(Leg.SHORT, ZERO))
        only_net = not any(states.stated.get(names[leg]) for leg in (Leg.LONG, Leg.SHORT))
        only_net = only_net and (bool(states.stated.get(names[Leg.NET])) or not net)
        wrong = tuple(name for name in names.values() if name in states.differing)
        if wrong and only_net and states.stated.get(names[Leg.NET], ZERO) == net:
            yield states.hypothesis(CauseKind.NETTED_LEGS, wrong, "LONG and SHORT are netted")


def _doubt(
    dimensions: Dimensions, recorded: RecordedSession, chosen: Sequence[StateHypothesis]
) -> str:
    """Doubt netted legs that cancel: nothing shows that they were netted."""
    netted = [hypothesis for hypothesis in chosen if hypothesis.cause_kind is CauseKind.NETTED_LEGS]
    record = recorded.side(chosen[0].side)
    stated = {} if record is None else dimensions.stated(record)
    if netted and not any(
        stated.get(name) for hypothesis in netted for name in hypothesis.correction
    ):
        return f"the fills of each leg on the {chosen[0].side} side"
    return ""


FAMILY: Final = CauseFamily(
    sentences={CauseKind.NETTED_LEGS: sentence_of("{subject} has netted hedge legs")},
    in_pairs=(_in_pairs,),
    fields={"leg": lambda _wrong, _right: FieldFault(CauseKind.NETTED_LEGS)},
    in_states=_in_states,
    state_words={CauseKind.NETTED_LEGS: "has netted hedge legs"},
    state_doubt=_doubt,
)
