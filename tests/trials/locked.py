"""The lock on `explain()`: the hashes of its answers, so that no change of structure changes one.

    python -m tests.trials.locked                    # check everything: about an hour of CPU
    python -m tests.trials.locked --part pairs-fast  # one part
    python -m tests.trials.locked --write            # after a change that is meant to show

A part is a list of sessions under one effort, cut into chunks. Of each chunk three things are
hashed one by one: the answers without their prose, the prose, and the budget that was left.
So a new wording changes the second alone, and a search in another order the third alone.
`each` has four digits for every session of the chunk, of all three together: they show which
session answers otherwise, and let a mutation run ask sessions one by one. Parts whose sessions
take seconds have no `each`.
The full effort answers fewer sessions: where the fast one did not end at its budget, it
answers the same, and where it did the full one takes up to a minute.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import entries_of, explain
from recon_core.explain.budget import Budget
from recon_core.model import RecordedSession
from recon_core.model.explanation import Effort, Explanation
from recon_core.plugins.manager import extension_manager
from recon_core.policy.model import Policy
from recon_core.sessions.discovery import find_sessions
from recon_core.values.errors import ReconError
from tests.explain.charged_faults import COUNT, charged_session
from tests.explain.real_fill_sessions import FILL_ROWS
from tests.explain.real_state_sessions import STATE_ROWS
from tests.trials.alone import answered_alone
from tests.trials.drawing import Wanted, drawn
from tests.trials.made_sessions import SMALL, small
from tests.trials.noise import noisy
from tests.trials.small_states import small_states
from tests.trials.twists import twisted
from tests.trials.worlds import WORLDS, World, drawn_of

EXAMPLES: Final = Path(__file__).parents[2] / "examples"
LOCK: Final = Path(__file__).with_name("locked.json")
PROSE: Final = frozenset({"text", "proof", "decides", "known"})
DIGITS: Final = 4
"""Digits of a hash of one session: one change in 65,536 is not seen in them alone."""
NO_SESSION: Final = "-" * DIGITS
"""In place of a hash where a number gives no session."""

QUICK_WORLDS: Final = [one for one in WORLDS if one.name not in ("recorded", "noise")]
"""Worlds whose sessions take a tenth of a second; the others have parts of their own."""

PLACED_WORLDS: Final = [one for one in QUICK_WORLDS if one.bases != one.bases[:1]]
"""Worlds of more than one family: the others differ from these in their family alone."""

_FIRST_OF_WORLDS: Final = 10_000
"""Their first seed: `make trials` judges the lower ones."""

Digests = dict[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """Sessions by number, each answered with one effort; a chunk is `size` numbers of them.

    `is_slow`: its sessions take seconds, and have no hashes of their own. `has_entries`: the
    entries that repair them are hashed with the answers. `is_alone`: each strategy is asked alone,
    in place of the whole plan.
    """

    name: str
    effort: Effort
    session: Callable[[int], Reconciliation | None]
    numbers: range
    size: int
    is_slow: bool = False
    has_entries: bool = False
    is_alone: bool = False

    @property
    def chunks(self) -> list[str]:
        """The names of its chunks."""
        return [f"{self.name}/{start}" for start in self.numbers[:: self.size]]

    def numbers_of(self, chunk: str) -> range:
        """The numbers of the sessions of a chunk."""
        start = int(chunk.partition("/")[2])
        return self.numbers[start : start + self.size]


def _reconciled(recorded: RecordedSession) -> Reconciliation:
    return Reconciliation(recorded, Policy())


def _drawn(seed: int, wanted: Wanted) -> Reconciliation | None:
    trial = drawn(seed, wanted)
    return None if trial is None else _reconciled(trial.placed.recorded)


def _single(seed: int) -> Reconciliation | None:
    return _drawn(seed, Wanted())


def _pair(seed: int) -> Reconciliation | None:
    return _drawn(seed, Wanted(faults=2))


def _dusty(seed: int) -> Reconciliation | None:
    return _drawn(seed, Wanted(is_dusty=True))


def _small(seed: int) -> Reconciliation | None:
    """A small session, some with exchanged sides, some without a section or any instrument."""
    trial = drawn(seed, Wanted(name=f"{SMALL}{seed}", faults=1 + seed % 2))
    if trial is None:
        return None
    recorded = trial.placed.recorded
    if seed % 4 >= 2:
        recorded = replace(recorded, internal=recorded.external, external=recorded.internal)
    lacking = {7: {"positions": None}, 8: {"cash": None}, 9: {"fills": ()}}.get(seed % 11)
    if lacking and recorded.external is not None:
        recorded = replace(recorded, external=replace(recorded.external, **lacking))
    if seed % 11 == 10:
        recorded = replace(recorded, instruments={})
    try:
        return _reconciled(recorded)
    except ReconError:  # the rows of that side cannot be booked
        return None


def _world(number: int) -> Reconciliation | None:
    """A session of one of the worlds whose sessions are quick, by turns."""
    return _of_world(QUICK_WORLDS[number % len(QUICK_WORLDS)], number)


def _small_world(number: int) -> Reconciliation | None:
    """The same of small sessions: every way in which a fault of these can be placed."""
    world = PLACED_WORLDS[number % len(PLACED_WORLDS)]
    return _of_world(replace(world, bases=(f"{SMALL}{number}",)), number)


def _of_world(world: World, number: int) -> Reconciliation | None:
    trial = drawn_of(world, _FIRST_OF_WORLDS + number)
    return None if trial is None else _reconciled(trial.recorded)


def _twisted(seed: int) -> Reconciliation | None:
    """A small session with rare rows, and a fault in two out of three."""
    trial = drawn(seed, Wanted(name=f"{SMALL}{seed}")) if seed % 3 else None
    recorded = small(seed) if trial is None else trial.placed.recorded
    try:
        return _reconciled(twisted(recorded, seed))
    except ReconError:  # its rows cannot be booked
        return None


def _states(seed: int) -> Reconciliation | None:
    try:
        return _reconciled(small_states(seed))
    except ReconError:  # such as a name that is there twice
        return None


def _charges(number: int) -> Reconciliation | None:
    try:
        return charged_session(number)
    except ReconError:  # such as an amount with too many digits
        return None


def _small_of_any(number: int) -> Reconciliation | None:
    """A small session of one of four parts, by turns."""
    return (_small_world, _twisted, _states, _charges)[number % 4](number)


def _noise(seed: int) -> Reconciliation:
    return _reconciled(noisy(seed).recorded)


def _real(number: int) -> Reconciliation:
    return (*FILL_ROWS, *STATE_ROWS)[number].build()


def _examples() -> list[Path]:
    return find_sessions(EXAMPLES, extension_manager())


def _example(number: int) -> Reconciliation:
    return reconcile_session(_examples()[number])


_REAL: Final = range(len(FILL_ROWS) + len(STATE_ROWS))
_EXAMPLES: Final = range(len(_examples()))

PARTS: Final = (
    Part("singles-fast", Effort.FAST, _single, range(400), 25),
    Part("pairs-fast", Effort.FAST, _pair, range(150), 15),
    Part("dusty-fast", Effort.FAST, _dusty, range(40), 10),
    Part("small-fast", Effort.FAST, _small, range(800), 50, has_entries=True),
    Part("worlds-fast", Effort.FAST, _world, range(600), 20, has_entries=True),
    Part("placed-fast", Effort.FAST, _small_world, range(1_000), 100, has_entries=True),
    Part("twisted-fast", Effort.FAST, _twisted, range(1_000), 100, has_entries=True),
    Part("states-fast", Effort.FAST, _states, range(2_000), 100, has_entries=True),
    Part("charges-fast", Effort.FAST, _charges, range(COUNT), 50, has_entries=True),
    Part("alone-fast", Effort.FAST, _small_of_any, range(1_150), 50, is_alone=True),
    Part("noise-fast", Effort.FAST, _noise, range(60), 5, is_slow=True),
    Part("real-fast", Effort.FAST, _real, _REAL, 20),
    Part("examples-fast", Effort.FAST, _example, _EXAMPLES, 10),
    Part("singles-full", Effort.FULL, _single, range(40), 10),
    Part("pairs-full", Effort.FULL, _pair, range(5), 5, is_slow=True),
    Part("noise-full", Effort.FULL, _noise, range(2), 2, is_slow=True),
    Part("real-full", Effort.FULL, _real, _REAL, 20),
    Part("examples-full", Effort.FULL, _example, _EXAMPLES, 10),
)


@contextmanager
def _recorded_budgets() -> Iterator[list[Budget]]:
    """Collect the budgets that are made while the context is open."""
    made: list[Budget] = []
    real = Budget.of

    def recording(effort: Effort, rows: int, divisor: int = 1) -> Budget:
        made.append(real(effort, rows, divisor))
        return made[-1]

    Budget.of = recording  # type: ignore[method-assign]  # restored below
    try:
        yield made
    finally:
        Budget.of = real  # type: ignore[method-assign]


def _answered(part: Part, reconciliation: Reconciliation) -> tuple[list[object], list[int]]:
    if part.is_alone:
        return answered_alone(reconciliation)
    with _recorded_budgets() as budgets:
        found: Sequence[Explanation] = explain(reconciliation, part.effort, repair_exchange=True)
    answers: list[object] = [one.to_dict() for one in found]
    if part.has_entries:
        answers += [_entries(reconciliation, one) for one in found]
    return answers, [budget.left for budget in budgets]


def _entries(reconciliation: Reconciliation, explanation: Explanation) -> object:
    try:
        entries = entries_of(reconciliation, explanation, repair_exchange=True)
        return [entry.to_dict() for entry in entries]
    except ReconError as error:
        return str(error)


def _parted(value: object, prose: list[object]) -> object:
    """The value without its prose, which is appended to `prose` in its order."""
    if isinstance(value, Mapping):
        prose += [text for key, text in value.items() if key in PROSE]
        return {key: _parted(one, prose) for key, one in value.items() if key not in PROSE}
    return [_parted(one, prose) for one in value] if isinstance(value, list) else value


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def part_of(chunk: str) -> Part:
    """The part that a chunk is cut from."""
    return next(part for part in PARTS if part.name == chunk.partition("/")[0])


def digests(chunk: str) -> Digests:
    """The hashes of a chunk by what is hashed: `answers`, `prose`, `budget`, `each`."""
    part = part_of(chunk)
    answers, prose, budgets, each = list[object](), list[object](), list[object](), ""
    for number in part.numbers_of(chunk):
        reconciliation = part.session(number)
        if reconciliation is None:
            each += NO_SESSION
            continue
        explained, left = _answered(part, reconciliation)
        answers.append([number, _parted(explained, prose)])
        budgets.append([number, left])
        each += _short_digest(explained, left)
    found = {"answers": _digest(answers), "prose": _digest(prose), "budget": _digest(budgets)}
    return found if part.is_slow else {**found, "each": each}


def session_digest(part: Part, number: int) -> str:
    """The hash of one session, as `each` of its chunk has it."""
    reconciliation = part.session(number)
    if reconciliation is None:
        return NO_SESSION
    return _short_digest(*_answered(part, reconciliation))


def _short_digest(found: list[object], left: list[int]) -> str:
    return _digest([found, left])[:DIGITS]


def sessions(chunk: str, found: Digests) -> dict[int, str]:
    """The hash of each session of a chunk, by its number; none of a slow part."""
    part, each = part_of(chunk), found.get("each", "")
    numbers = () if part.is_slow else part.numbers_of(chunk)
    return {number: each[at * DIGITS :][:DIGITS] for at, number in enumerate(numbers)}


def committed() -> dict[str, Digests]:
    """The hashes that are committed, by chunk."""
    found: dict[str, Digests] = json.loads(LOCK.read_text(encoding="utf-8"))
    return found


def changes(chunk: str, found: Digests, expected: Digests) -> list[str]:
    """What of a chunk is no longer as committed, a line each, and the sessions that differ."""
    whats = [what for what in expected if what != "each" and found[what] != expected[what]]
    now = sessions(chunk, found)
    others = [str(n) for n, digest in sessions(chunk, expected).items() if now[n] != digest]
    lines = [f"{chunk}: other {what}" for what in whats]
    return lines + [f"{chunk}: other sessions {', '.join(others)}" for _ in others[:1]]


def _worked_out(chunks: Sequence[str], jobs: int) -> Iterable[tuple[str, Digests]]:
    with ProcessPoolExecutor(jobs) as pool:
        for chunk, found in zip(chunks, pool.map(digests, chunks), strict=True):
            sys.stderr.write(f"\r{chunk:<30}")
            yield chunk, found


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", choices=[part.name for part in PARTS], help="one part only")
    parser.add_argument("--write", action="store_true", help="commit to what is answered now")
    parser.add_argument("--jobs", type=int, default=1)
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Check or write the lock; 1 where an answer is another one."""
    asked = _arguments(given)
    chunks = [one for part in PARTS if asked.part in (None, part.name) for one in part.chunks]
    if asked.write:
        lock = committed() if LOCK.exists() else {}
        for chunk, found in _worked_out(chunks, asked.jobs):
            lock[chunk] = found
            LOCK.write_text(_lines(lock), encoding="utf-8")
        return 0
    lock, lines = committed(), list[str]()
    for chunk, found in _worked_out(chunks, asked.jobs):
        lines += changes(chunk, found, lock[chunk])
    sys.stdout.write("".join(f"{line}\n" for line in lines) or "as committed\n")
    return int(bool(lines))


def _lines(lock: Mapping[str, Digests]) -> str:
    """JSON with a line for each chunk, in the order of the parts."""
    order = [chunk for part in PARTS for chunk in part.chunks if chunk in lock]
    rows = (f"{json.dumps(chunk)}: {json.dumps(lock[chunk])}" for chunk in order)
    return "{\n" + ",\n".join(rows) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
