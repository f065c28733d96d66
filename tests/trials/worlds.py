"""Worlds: kinds of sessions that recordings lack, each with its own faults, in one table.

A world says how its sessions trade, what the exchange gives, where the fault is, and which kinds
of faults are drawn. Its trials are judged by the bookings that an answer leads to (`worth.py`).
"""

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from recon_core.engine.reconciliation import Reconciliation
from recon_core.explain import explain
from recon_core.model import RecordedSession
from recon_core.model.explanation import CauseKind, Effort, Explanation
from recon_core.policy.model import Policy
from tests.trials import time_faults
from tests.trials.bases import NAMES, Base, Evidence, base_session
from tests.trials.drawing import Trial, Wanted, drawn, faults_of, trial_of
from tests.trials.fault import Dice, Fault
from tests.trials.noise import is_coarse, noise_of
from tests.trials.placing import Placement
from tests.trials.shapes import FAMILIES
from tests.trials.worth import Worth, worth_of, worth_without_truth

_TRIES: Final = 200
_SESSIONS: Final = 400
"""Sessions of each family: so many that a count of thousands seldom meets one twice."""

_K = CauseKind
_OF_FILLS = (
    _K.MISSING_FILL, _K.ORPHAN_FILL, _K.DUPLICATE_FILL, _K.SIDE_FLIPPED, _K.WRONG_QUANTITY,
    _K.WRONG_PRICE, _K.CUMULATIVE_QUANTITY,
)  # fmt: skip
_OF_FEES = (_K.MISSING_FEE, _K.DUPLICATE_FEE, _K.FEE_SIGN)
_OF_MOVEMENTS = (_K.MISSING_MOVEMENT, _K.DUPLICATE_MOVEMENT)
_OF_ROWS = (*_OF_FILLS, *_OF_FEES, *_OF_MOVEMENTS)
_OF_STATES = (_K.UNIT, _K.SIGN_CONVENTION, _K.ROUNDING, _K.BALANCE_KIND, _K.ALIAS)

_STATES, _ROWS, _STATEMENT = Evidence.STATES, Evidence.ROWS, Evidence.STATEMENT
_BOTH = ((_STATES, Placement.ROW), (_ROWS, Placement.ROW))
_ALL = tuple(FAMILIES)
_NOISE = (*_ALL, *NAMES)


@dataclass(frozen=True, slots=True)
class World:
    """One kind of sessions: `bases` are families of made sessions, or names of recordings.

    `settings`: what the exchange gives, and where the fault is. `kinds`: the faults drawn, none for
    random amounts. `most`: most faults of a trial. `is_behind`: the last rows are missing as well.
    """

    name: str
    about: str
    bases: tuple[str, ...]
    settings: tuple[tuple[Evidence, Placement], ...]
    kinds: tuple[CauseKind, ...] = ()
    most: int = 2
    is_behind: bool = False


WORLDS: Final = (
    World("recorded", "recordings of engines, every kind of fault", (), _BOTH, tuple(_K)),
    World(
        "plain", "spot, shares, perpetuals", ("spot", "shares", "perpetuals"), _BOTH,
        (*_OF_ROWS, _K.FEE_RATE, _K.FEE_CURRENCY, _K.OPENING_BALANCE),
    ),
    World("coin-margined", "inverse contracts", ("coin-margined",), _BOTH, _OF_ROWS),
    World("hedge", "LONG and SHORT legs of one symbol", ("hedge",), _BOTH, _OF_ROWS),
    World("rebates", "makers are paid, in tiers", ("rebates",), _BOTH, _OF_ROWS),
    World("undeclared", "no currency has a precision", ("undeclared",), _BOTH, _OF_ROWS),
    World(
        "statement", "the exchange lists movements and no fills", (*_ALL[:5], "made_movements"),
        ((_STATEMENT, Placement.ROW),), (*_OF_MOVEMENTS, *_OF_MOVEMENTS, _K.MISSING_FEE),
    ),
    World(
        "list-ends", "state and lists of the exchange end early", _ALL,
        ((_ROWS, Placement.END),), _OF_ROWS, is_behind=True,
    ),
    World(
        "exchange-row", "a row of the exchange's list is wrong, its state is right", _ALL,
        ((_ROWS, Placement.LIST),), _OF_ROWS, most=1,
    ),
    World(
        "exchange-state", "the exchange states other figures than its rows give", _ALL,
        ((_ROWS, Placement.EXCHANGE), (_ROWS, Placement.EXCHANGE), (_STATES, Placement.EXCHANGE)),
        (*_OF_ROWS, *_OF_STATES), most=1,
    ),
    World(
        "exchange-behind", "what the exchange states is of an earlier time than it says", _ALL,
        ((_ROWS, Placement.EXCHANGE), (_STATES, Placement.EXCHANGE)), most=1, is_behind=True,
    ),
    World(
        "noise", "random amounts, no fault makes them", _NOISE,
        ((_STATES, Placement.BOOKED), (_ROWS, Placement.BOOKED), (_ROWS, Placement.BLIND),
         (_STATES, Placement.EXCHANGE), (_ROWS, Placement.EXCHANGE)),
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WorldTrial:
    """A session of a world; `trial` is its truth, `None` where no fault makes its amounts."""

    world: str
    seed: int
    evidence: Evidence
    recorded: RecordedSession
    what: str
    trial: Trial | None = None

    @property
    def kinds(self) -> str:
        """The kinds of its faults."""
        return "random amounts" if self.trial is None else self.trial.kinds

    @property
    def is_told(self) -> bool:
        """True if the data can show the faults."""
        return self.trial is not None and not self.trial.why_not


@dataclass(frozen=True, slots=True)
class WorldOutcome:
    """Answer to a trial of a world, its worth, and the seconds of the processor that it took."""

    world: str
    seed: int
    evidence: str
    kinds: str
    faults: int
    what: str
    is_told: bool
    worth: Worth
    seconds: float
    answer: tuple[Explanation, ...]


def world_named(name: str) -> World:
    """The world of a name."""
    return next(world for world in WORLDS if world.name == name)


def drawn_of(world: World, seed: int) -> WorldTrial | None:
    """The trial of a world and a seed; `None` where nothing of its kinds is possible."""
    dice = random.Random(f"{world.name} {seed}")  # noqa: S311  # rows, no secrets
    for _ in range(_TRIES):
        evidence, placement = dice.choice(world.settings)
        faults = 1 + (world.most > 1 and seed % 3 == 2)
        if not world.bases:
            trial = drawn(seed, Wanted(evidence=evidence, faults=faults))
            return None if trial is None else _told(world, trial)
        base = base_session(_name(world, dice), evidence)
        if world.name == "noise":
            found = _noise(world, base, placement, seed, dice)
        else:
            trial = trial_of(seed, base, placement, _faults(world, base, faults, dice))
            found = None if trial is None else _told(world, trial)
        if found is not None:
            return found
    return None


def _told(world: World, trial: Trial) -> WorldTrial:
    how = ", ".join(fault.variant for fault in trial.faults)
    what = f"{trial.base.name} {trial.setting}: {trial.kinds} ({how})"
    recorded = trial.placed.recorded
    return WorldTrial(world.name, trial.seed, trial.base.evidence, recorded, what, trial)


def _name(world: World, dice: Dice) -> str:
    name = dice.choice(world.bases)
    return f"{name}-{dice.randrange(_SESSIONS)}" if name in FAMILIES else name


def _noise(
    world: World, base: Base, placement: Placement, seed: int, dice: Dice
) -> WorldTrial | None:
    if is_coarse(base) or not base.fills:
        return None
    noise = noise_of(seed, base, placement, dice)
    what = f"{base.name} {base.evidence}/{placement}: {noise.what}"
    return WorldTrial(world.name, seed, base.evidence, noise.recorded, what)


def _faults(world: World, base: Base, count: int, dice: Dice) -> tuple[Fault, ...]:
    """The faults of a trial; where the exchange is behind, that is the last of them."""
    if not world.is_behind:
        return faults_of(base, dice.choice(world.kinds), count, dice, world.kinds)
    end = time_faults.behind(base, base.book, dice)
    if end is None or count == 1 or not world.kinds:
        return () if end is None else (end,)
    own = faults_of(base, dice.choice(world.kinds), 1, dice)
    is_late = any(fault.touched & end.more_ids for fault in own)
    return () if is_late or not own or own[0].book is None else (*own, end)


def outcome_of(found: WorldTrial, effort: Effort = Effort.FAST) -> WorldOutcome:
    """Explain the session of a trial, and judge the answer; the time is that of the processor."""
    reconciliation = Reconciliation(found.recorded, Policy())
    start = time.process_time()
    answer = explain(reconciliation, effort)
    seconds = time.process_time() - start
    if found.trial is None:
        worth = worth_without_truth(answer)
    else:
        worth = worth_of(found.trial, reconciliation, answer)
    return WorldOutcome(
        found.world,
        found.seed,
        str(found.evidence),
        found.kinds,
        0 if found.trial is None else len(found.trial.faults),
        found.what,
        found.is_told,
        worth,
        seconds,
        answer,
    )


def outcomes_of(
    worlds: Sequence[World], seeds: Iterable[int], effort: Effort = Effort.FAST
) -> Iterator[WorldOutcome]:
    """The outcomes of all seeds in each of the worlds, of sessions in which anything differs."""
    for seed in seeds:
        for world in worlds:
            found = drawn_of(world, seed)
            if found is not None and Reconciliation(found.recorded, Policy()).diffs:
                yield outcome_of(found, effort)
