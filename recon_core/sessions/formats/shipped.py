"""Shipped formats: statements of venues and brokers, each read by a mapping of this package.

The mapping and a sample of each are the files NAME.toml and NAME.csv, .json or .xml in
`recon_core.sessions.formats.statements`. A statement is one file, which is every table
of its mapping.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from recon_core.model import LedgerSide, RecordedSession
from recon_core.sessions.files import read_bytes, unforeseen_refused
from recon_core.sessions.foreign import SideSource, TakenSide
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.formats.table import parse_mapping, taken_side
from recon_core.sessions.formats.table_schema import MappingFile
from recon_core.sessions.formats.table_side import MappedSide
from recon_core.sessions.formats.table_source import mapped_tables, required_columns
from recon_core.sessions.unjudged_paths import listed
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable

_PLACE: Final = "recon_core.sessions.formats.statements"
_HEAD: Final = 65_536
"""Bytes of a file in which the columns of a format are looked for."""
_NEAR: Final = 0.5
"""Share of a format's columns that a file has at least, if it is to be read as that format."""


@cache
def shipped_names() -> tuple[str, ...]:
    """The names of all shipped formats, sorted."""
    files = resources.files(_PLACE).iterdir()
    return tuple(sorted(file.name[:-5] for file in files if file.name.endswith(".toml")))


def mapping_text(name: str) -> str:
    """The mapping of a shipped format, as it is in the package."""
    return resources.files(_PLACE).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def sample_of(name: str) -> tuple[str, bytes]:
    """The name and the content of the sample of a shipped format."""
    files = resources.files(_PLACE).iterdir()
    file = next(
        file
        for file in files
        if file.name.rpartition(".")[0] == name and not file.name.endswith(".toml")
    )
    return file.name, file.read_bytes()


@cache
def shipped_mapping(name: str) -> MappingFile:
    """The mapping of a shipped format."""
    return parse_mapping(mapping_text(name).encode())


def read_side(source: SideSource) -> TakenSide:
    """Read a statement as the side that its format's mapping describes; raises `SessionError`."""
    root = source.directory.resolve()
    mapping = shipped_mapping(source.recording_format)
    given = source.path.resolve().relative_to(root).as_posix()
    limits = limits_note(source.recording_format, tuple(mapping.cannot_know))
    return taken_side(MappedSide.of(mapping, root, root, given), source, limits)


def statement_session(path: Path, name: str) -> RecordedSession:
    """Read a statement as the external side of a session of its own; raises `SessionError`."""
    with unforeseen_refused(printable(path.name)):
        taken = _external(path, name)
    return RecordedSession(
        session_id=printable(path.stem),
        anchor=path,
        recording_format=name,
        instruments=taken.instruments,
        currencies=taken.currencies,
        external=taken.record,
        inputs=taken.inputs,
    )


def _external(path: Path, name: str) -> TakenSide:
    return read_side(SideSource(path, path.parent, name, LedgerSide.EXTERNAL))


@dataclass(frozen=True, slots=True)
class Recognition:
    """A shipped format and a file: the share of its columns that the file has, and why not.

    `problem` is empty where the file can be read in the format.
    """

    name: str
    share: float
    problem: str = ""


def recognised(path: Path) -> list[Recognition]:
    """Return the shipped formats that a file may be in by their nearness, its readers first.

    Empty where a file has less than half of the columns of every format.
    """
    head = read_bytes(path)[:_HEAD].decode("utf-8", "replace")
    found = sorted(_shares(head), key=lambda one: -one.share)
    near = [_tried(path, one) for one in found if one.share >= _NEAR]
    return sorted(near, key=lambda one: bool(one.problem))


def _shares(head: str) -> Iterator[Recognition]:
    """Yield each format with the share of the words of its mapping that begin a file."""
    for name in shipped_names():
        words = sorted(word for word in _columns(shipped_mapping(name)) if word)
        lacks = [word for word in words if not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", head)]
        yield Recognition(name, 1 - len(lacks) / len(words), _lacking(lacks, len(words)))


def _lacking(lacks: list[str], number: int) -> str:
    """`of its 8 columns the file lacks cost, fee, vol and 5 more`."""
    return f"of its {number} columns the file lacks {listed(lacks)}"


def _columns(mapping: MappingFile) -> frozenset[str]:
    """Return the columns and elements that every file of a format has."""
    tables = list(mapped_tables(mapping))
    places = {part for table in tables for part in (table.at or "").split("/")}
    return frozenset().union(places, *map(required_columns, tables))


def _tried(path: Path, near: Recognition) -> Recognition:
    try:
        _external(path, near.name)
    except SessionError as error:
        return replace(near, problem=printable(error, 400))
    return replace(near, problem="")
