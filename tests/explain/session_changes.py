"""Faulty sessions in figures: a clean session, and the rows and amounts that a fault changed.

`tests/data/explain/faults.json` lists them. A session is named by its clean one (a recording,
or a file beside the list), and says of each side which rows are removed, added or changed and
which states are replaced; a change also gives the right figure, so that it can be read alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter

from recon_core.model import (
    CashBalance,
    Fill,
    Movement,
    Opening,
    Order,
    Position,
    RecordedSession,
    SideRecord,
    Snapshot,
)
from recon_core.model.explanation import Explanation
from tests.trials.bases import Evidence, base_session

PLACE: Final = Path(__file__).parents[1] / "data" / "explain"
ROWS: Final = {
    "fills": TypeAdapter(Fill),
    "orders": TypeAdapter(Order),
    "movements": TypeAdapter(Movement),
}
STATES: Final[Mapping[str, TypeAdapter[Any]]] = {
    "as_of": TypeAdapter(datetime | None),
    "snapshots": TypeAdapter(tuple[Snapshot, ...] | None),
    "opening": TypeAdapter(Opening | None),
    "positions": TypeAdapter(tuple[Position, ...] | None),
    "cash": TypeAdapter(tuple[CashBalance, ...] | None),
}
_IDS: Final = ("fill_id", "movement_id", "client_order_id", "exchange_order_id")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FaultySession:
    """A session, the reason why its faults can be told apart, and the causes that are right."""

    why: str
    listed: Json
    causes: Sequence[Json]

    @property
    def recorded(self) -> RecordedSession:
        """The clean session with its changes: made when it is asked for, not when it is listed."""
        clean = base_session(self.listed["clean"], Evidence(self.listed["evidence"])).recorded
        return with_changes(clean, self.listed["changes"])


def faulty_sessions(group: str) -> dict[str, FaultySession]:
    """The sessions of a group by name."""
    listed = json.loads((PLACE / "faults.json").read_text(encoding="utf-8"))[group]
    return {name: FaultySession(one["why"], one, one["causes"]) for name, one in listed.items()}


def causes_of(explanation: Explanation) -> list[Json]:
    """The causes of an explanation as `faults.json` gives them."""
    return [
        {
            "cause_kind": cause.cause_kind,
            "side": cause.side,
            "ids": list(cause.ids),
            "effect": cause.effect.to_dict(),
        }
        for cause in explanation.causes
    ]


def with_changes(clean: RecordedSession, changes: Mapping[str, Json]) -> RecordedSession:
    """The session with the changes of both sides."""
    sides = {
        name: _changed(record, changes[name])
        for name, record in clean.own_records().items()
        if name in changes
    }
    return replace(clean, **sides)


def _changed(record: SideRecord, changes: Json) -> SideRecord:
    found: dict[str, Any] = {}
    for name, kind in STATES.items():
        if name in changes:
            found[name] = kind.validate_python(changes[name])
    for name, row_kind in ROWS.items():
        if name in changes:
            change = changes[name]
            rows = getattr(record, name) or ()
            found[name] = None if change is None else _with_rows(rows, change, row_kind)
    return replace(record, **found)


def _with_rows(rows: Sequence[Any], changes: Sequence[Json], kind: TypeAdapter[Any]) -> Any:
    """The rows after changes by their places among the right ones, the last first."""
    left = list(rows)
    for change in reversed(changes):
        at = change["at"]
        values = kind.dump_python(left[at], mode="json") if at < len(left) else {}
        if "now" in change:
            assert {name: values[name] for name in change["right"]} == change["right"]
            left[at] = kind.validate_python(values | change["now"])
        else:
            left[at : at + len(change["removed"])] = map(kind.validate_python, change["added"])
    return tuple(left)


def changes_between(clean: RecordedSession, faulty: RecordedSession) -> dict[str, Json]:
    """What `with_changes` makes the one from the other of."""
    wrong = faulty.own_records()
    found = {name: _changes(record, wrong[name]) for name, record in clean.own_records().items()}
    return {str(name): changes for name, changes in found.items() if changes}


def _changes(right: SideRecord, wrong: SideRecord) -> Json:
    found: Json = {}
    for name in (field.name for field in fields(right) if field.compare or field.name in STATES):
        before, after = getattr(right, name), getattr(wrong, name)
        if before == after:
            continue
        if name in ROWS:
            given = after is not None
            found[name] = _row_changes(before or (), after, ROWS[name]) if given else None
        else:
            found[name] = STATES[name].dump_python(after, mode="json")
    return found


def _row_changes(right: Sequence[Any], wrong: Sequence[Any], kind: TypeAdapter[Any]) -> list[Json]:
    before, after = (
        [kind.dump_python(row, mode="json") for row in rows] for rows in (right, wrong)
    )
    ids = [[[row.get(name) for name in _IDS] for row in rows] for rows in (before, after)]
    old_ids, new_ids = ([json.dumps(one) for one in rows] for rows in ids)
    found: list[Json] = []
    for tag, start, end, first, last in SequenceMatcher(
        None, old_ids, new_ids, autojunk=False
    ).get_opcodes():
        if tag != "equal":
            removed, added = before[start:end], after[first:last]
            found.append({"at": start, "removed": removed, "added": added})
            continue
        for at, (old, new) in enumerate(zip(before[start:end], after[first:last], strict=True)):
            names = [name for name in old if old[name] != new[name]]
            if names:
                change = ({name: row[name] for name in names} for row in (old, new))
                found.append({"at": start + at} | dict(zip(("right", "now"), change, strict=True)))
    return found
