"""The problems of a session, and the prover of their hypotheses."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain.problem.dimensions import dimensions_of
from recon_core.explain.problem.hypotheses import Hypothesis
from recon_core.explain.problem.problem import Problem
from recon_core.explain.problem.problems import problems
from recon_core.explain.proof.prover import Prover
from recon_core.ledger.replay import replay
from recon_core.model import CashBalance, Fill, Instrument, Position, RecordedSession
from recon_core.policy.model import Policy
from tests.core.builders import SPOT, recorded, side
from tests.explain.real_sessions import books


def prover_of(recorded: RecordedSession) -> Prover:
    """A prover of a session."""
    found = Reconciliation(recorded, Policy())
    return Prover(found, dimensions_of(found.recorded, found.comparisons, Decimal(0)))


def problems_of(prover: Prover) -> list[Problem]:
    """Every ground of a session."""
    return problems(prover.recorded, prover.dimensions, prover.reconciliation.replays)


def problem_requiring(
    rows: Sequence[Fill],
    required: Mapping[str, str],
    *instruments: Instrument,
    rows_right: bool = False,
    outer: Mapping[str, Any] | None = None,
    **more: Any,
) -> Problem:
    """The problem of a ledger with these fills, beside an exchange that states so much more.

    `required` has currencies and symbols; `outer` what else the exchange gives, `more` the session.
    """
    known = {one.symbol: one for one in (SPOT, *instruments)}
    ledger = books(*rows, opening={"EUR": "1000000", "BNB": "1000", "BTC": "1000"})
    given = replay(recorded(ledger, None, instruments=known, **more), ledger)
    held = {row.symbol: row.quantity for row in given.positions}
    paid = {row.currency: row.total for row in given.cash}
    for name, amount in required.items():
        state = held if name in known else paid
        state[name] = state.get(name, Decimal(0)) + Decimal(amount)
    stated = {
        "positions": tuple(Position(name, amount) for name, amount in held.items()),
        "cash": tuple(CashBalance(name, amount) for name, amount in paid.items()),
    }
    session = recorded(ledger, side(**{**stated, **(outer or {})}), instruments=known, **more)
    return next(one for one in problems_of(prover_of(session)) if one.rows_right is rows_right)


def content_of(hypothesis: Hypothesis) -> tuple[object, ...]:
    """What makes two hypotheses equal."""
    return (
        hypothesis.cause_kind,
        [id(row) for row in hypothesis.rows],
        hypothesis.patch.added,
        hypothesis.strength,
    )
