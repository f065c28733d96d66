"""Snapshots: the states in between that a side states, against its own replay up to then.

Source of the rules: design, "Ledger comparisons", with the policy's rules of
positions and cash. A side has one comparison, `ledger::internal:snapshots`: it shows the
first snapshot that contradicts the side's rows, and counts the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from recon_core.compare.keys import session_time
from recon_core.compare.views import State
from recon_core.judging import judge, judge_check, judge_values
from recon_core.ledger.consistency import OwnRows, snapshots_key
from recon_core.ledger.replay import SideReplay
from recon_core.ledger.running import states_at_snapshots
from recon_core.model import (
    CashBalance,
    LedgerSide,
    Opening,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.model.comparison import (
    Comparison,
    ItemKind,
    Judgement,
    ReconDiff,
    SessionCheck,
    diff_id,
)
from recon_core.policy.model import Policy
from recon_core.values.severity import Severity
from recon_core.values.times import format_time

_Row = TypeVar("_Row", Position, CashBalance)


class Snapshots:
    """The comparisons of a session's snapshots; a side is replayed when it is judged."""

    def __init__(self, recorded: RecordedSession, replays: Mapping[LedgerSide, SideReplay]) -> None:
        self._recorded = recorded
        self._replays = replays
        self.comparisons = tuple(
            Comparison(
                item_kind=ItemKind.LEDGER,
                key=snapshots_key(side),
                name="snapshots",
                as_of=session_time(recorded),
                side=side,
            )
            for side, replayed in replays.items()
            if _comparable(recorded.side(side), replayed)
        )

    def judge(self, comparison: Comparison, policy: Policy, session_id: str) -> Judgement | None:
        """The verdict of one of `comparisons`, `None` for any other comparison."""
        side = comparison.side
        record = None if side is None else self._recorded.side(side)
        if side is None or record is None or comparison.key != snapshots_key(side):
            return None
        found = _Found(policy)
        for snapshot, rows in _compared(self._recorded, side, record, self._replays[side]):
            found.add(snapshot, rows)
        return found.judgement(comparison, session_id)


def _comparable(record: SideRecord | None, replayed: SideReplay) -> bool:
    """True if the side has a snapshot that states a section which its rows give, too."""
    if record is None or replayed.problem:
        return False
    return any(_has_common_section(one, replayed) for one in record.snapshots or ())


def _has_common_section(snapshot: Snapshot, replayed: SideReplay) -> bool:
    """True if a section of the snapshot is one that the replay gives."""
    sections = (snapshot.positions, replayed.positions), (snapshot.cash, replayed.cash)
    return any(stated is not None and given is not None for stated, given in sections)


def _compared(
    recorded: RecordedSession, side: LedgerSide, record: SideRecord, replayed: SideReplay
) -> Iterator[tuple[Snapshot, list[Comparison] | None]]:
    """Every snapshot as comparisons; `None` for one from before the side's opening."""
    opened = (record.opening or Opening(None)).as_of
    plain, only = _one_account(record), record.only_account()
    own_rows = OwnRows(recorded, side, plain=plain)
    for snapshot, states in states_at_snapshots(recorded, record, cash=replayed.cash is not None):
        if not _has_common_section(snapshot, replayed):
            continue
        if opened is not None and snapshot.as_of < opened:
            yield snapshot, None
            continue
        stated = snapshot if plain or only is None else _named(snapshot, only)
        given = replace(replayed, positions=states.positions, cash=states.cash)
        state = State(stated.positions, stated.cash)
        yield snapshot, own_rows.compare(state, given, snapshot.as_of)


def _one_account(record: SideRecord) -> bool:
    """True if the side, its snapshots included, names one account at most."""
    named = set(record.accounts)
    for one in record.snapshots or ():
        named |= {row.account for row in one.positions or ()}
        named |= {row.account for row in one.cash or ()}
    return len(named - {None}) <= 1


def _named(snapshot: Snapshot, account: str) -> Snapshot:
    """The snapshot with its unnamed rows in the side's only account."""
    positions, cash = snapshot.positions, snapshot.cash
    return replace(
        snapshot,
        positions=None if positions is None else tuple(_in(row, account) for row in positions),
        cash=None if cash is None else tuple(_in(row, account) for row in cash),
    )


def _in(row: _Row, account: str) -> _Row:
    return replace(row, account=account) if row.account is None else row


@dataclass(slots=True)
class _Found:
    """Result of comparing the snapshots of one side, one after the other."""

    policy: Policy
    compared: int = 0
    early: int = 0
    contradicting: int = 0
    first: Comparison | None = None
    worst: Comparison | None = None
    severity: Severity | None = None

    def add(self, snapshot: Snapshot, rows: list[Comparison] | None) -> None:
        """Look at the next snapshot; `None` is one that cannot be compared."""
        if rows is None:
            self.early += 1
            return
        self.compared += 1
        severity, worst = self._worst(rows)
        if worst is None or severity is None:
            return
        self.contradicting += 1
        worst = replace(worst, as_of=snapshot.as_of)
        self.first = self.first or worst
        if self.severity is None or severity.rank > self.severity.rank:
            self.severity, self.worst = severity, worst

    def _worst(self, rows: list[Comparison]) -> tuple[Severity | None, Comparison | None]:
        """The worst of what one snapshot states; of equal ones the first by its key."""
        found: tuple[Severity | None, Comparison | None] = (None, None)
        for row in sorted(rows, key=lambda one: one.key):
            severity = judge_values(row, self.policy).severity
            if severity is not None and (found[0] is None or severity.rank > found[0].rank):
                found = severity, row
        return found

    def judgement(self, comparison: Comparison, session_id: str) -> Judgement:
        """The verdict: the severity of the worst contradiction, the figures of the first."""
        if self.first is not None and self.severity is not None:
            return self._contradiction(comparison, self.first, self.severity, session_id)
        if self.compared:
            follow = f"{_snapshots(self.compared)} {'follow' if self.compared > 1 else 'follows'}"
            text = f"{follow} from its own rows{self._early()}"
            check = SessionCheck(comparison.key, None, text)
        else:
            text = f"no snapshot was compared{self._early()}"
            check = SessionCheck(comparison.key, Severity.WARN, text)
        return judge_check(comparison, check, session_id)

    def _contradiction(
        self, comparison: Comparison, first: Comparison, severity: Severity, session_id: str
    ) -> Judgement:
        judged = judge(first, self.policy, session_id)
        assert judged.diff is not None  # noqa: S101  # it was found to differ
        counted = f"{self.contradicting} of {_snapshots(self.compared)}"
        message = (
            f"{comparison.item_kind} {comparison.key}: {severity}, "
            f"{counted} {'contradict' if self.contradicting > 1 else 'contradicts'} its own rows"
            f"{self._early()}; the first, of {self._text(first, session_id)}"
        )
        if self.worst is not None and self.worst is not first:
            message += f"; the worst, of {self._text(self.worst, session_id)}"
        diff = _renamed(judged.diff, comparison, session_id)
        details = {**diff.diff_details, "snapshot": _time(first), "snapshots": counted}
        diff = replace(diff, severity=severity, description=message, diff_details=details)
        return Judgement(comparison, diff, message)

    def _text(self, row: Comparison, session_id: str) -> str:
        """A contradiction in the words of a ledger comparison, after its time."""
        message = judge(row, self.policy, session_id).message
        return f"{_time(row)}: {message.removeprefix(f'{row.item_kind} {row.side}:')}"

    def _early(self) -> str:
        if not self.early:
            return ""
        return f" ({_snapshots(self.early)} from before its opening left out)"


def _renamed(diff: ReconDiff, comparison: Comparison, session_id: str) -> ReconDiff:
    """The diff of one value as that of the whole comparison."""
    return replace(
        diff,
        diff_id=diff_id(session_id, comparison.identity),
        timestamp=comparison.as_of,
        key=comparison.key,
    )


def _snapshots(count: int) -> str:
    return "1 snapshot" if count == 1 else f"{count} snapshots"


def _time(row: Comparison) -> str:
    return "" if row.as_of is None else format_time(row.as_of)
