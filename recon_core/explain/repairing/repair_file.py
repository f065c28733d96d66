"""The file of a repair: a list of entries that only grows, `recon.repair/1`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from recon_core.atomic import refusing, write_atomically
from recon_core.boundary import FileModel, problem_text
from recon_core.errors import ReconError
from recon_core.explain.repairing.repair import RepairEntry
from recon_core.model import LedgerSide
from recon_core.printable import printable, quoted
from recon_core.sessions.json_text import parse_json

SCHEMA: Final = "recon.repair/1"
_LARGEST: Final = 256 << 20

_Text = Annotated[str, StringConstraints(strict=True, min_length=1)]


class EntryTable(FileModel):
    """One correcting entry: what to do with which row of which side, and why."""

    model_config = ConfigDict(title="RepairEntry")

    entry_id: _Text
    session_id: _Text
    side: Literal["internal", "external"]
    action: Literal[
        "remove_fill",
        "add_fill",
        "remove_movement",
        "add_movement",
        "adjust_position",
        "adjust_cash",
        "adjust_opening",
    ]
    row: dict[str, str]
    reason: str
    answers: list[_Text]


class RepairFile(FileModel):
    """Correcting entries in the order in which they were proposed."""

    schema_name: Literal["recon.repair/1"] = Field(alias="schema")
    entries: list[EntryTable]


def read_repair(path: Path, name: str = "") -> list[RepairEntry]:
    """The entries of a file; raises `ReconError` where it holds anything else.

    `name` is what the file is called in a message, its last part where none is given.
    """
    name = printable(name or path.name)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise ReconError(f"{name}: is larger than {_LARGEST >> 20} MiB")
        text = content.decode("utf-8")
    except OSError as error:
        raise ReconError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ReconError(f"{name}: is not UTF-8; expected a list of {SCHEMA}") from None
    return _entries(parse_json(text, name), name)


def _entries(document: Any, name: str) -> list[RepairEntry]:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise ReconError(f"{name}: holds something else; expected a list of {SCHEMA}")
    try:
        tables = RepairFile.model_validate(document).entries
    except ValidationError as error:
        raise ReconError(f"{name}: {problem_text(error)}") from None
    entries = [_entry(table) for table in tables]
    ids = [entry.entry_id for entry in entries]
    if len(set(ids)) != len(ids):
        twice = next(each for at, each in enumerate(ids) if each in ids[:at])
        raise ReconError(f"{name}: entry {quoted(twice)} stands twice")
    return entries


def _entry(table: EntryTable) -> RepairEntry:
    return RepairEntry(
        table.entry_id,
        table.session_id,
        LedgerSide(table.side),
        table.action,
        table.row,
        table.reason,
        tuple(table.answers),
    )


def joined(known: Sequence[RepairEntry], proposed: Sequence[RepairEntry]) -> list[RepairEntry]:
    """The known entries as they are, and after them the proposed ones that are new."""
    ids = {entry.entry_id for entry in known}
    return [*known, *(entry for entry in proposed if entry.entry_id not in ids)]


def write_repair(path: Path, entries: Sequence[RepairEntry], name: str = "") -> None:
    """Write the list whole or not at all; raises `ReconError`, in which it is `name`."""
    document = {"schema": SCHEMA, "entries": [entry.to_dict() for entry in entries]}
    with refusing(name or path.name):
        write_atomically(path, f"{json.dumps(document, indent=2)}\n")
