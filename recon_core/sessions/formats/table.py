"""Tables in general as one side: CSV, JSON, JSON Lines, XML and Parquet, by a mapping in TOML.

The mapping says which column of which table is which field of a session file; the
fields are then checked like those of a session file. Tables lie in the session's
directory, their paths are relative to the mapping.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from recon_core.model import Currency, InputFile, Instrument
from recon_core.sessions import native_rows
from recon_core.sessions.files import read_bytes
from recon_core.sessions.foreign import SideSource, TakenSide
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.formats.table_schema import ROW_TYPES, MappingFile
from recon_core.sessions.formats.table_side import MappedSide
from recon_core.values.amounts import NumberText
from recon_core.values.errors import SessionError
from recon_core.values.fields import problem_text
from recon_core.values.limits import TOML_BYTES
from recon_core.values.printable import printable
from recon_core.values.toml_text import TomlError, parse_toml

FORMAT: Final = "table"
CANNOT_KNOW: Final = (
    "columns and tables that the mapping leaves out",
    "rows that the tables have lost",
)
"""Facts that tables of this format do not state."""

SECTIONS: Final = (*ROW_TYPES, "snapshots")
"""Sections of a mapping, of which it has one at least."""


def read_side(source: SideSource) -> TakenSide:
    """Read the side that the mapping at a path describes; raises `SessionError`."""
    content = read_bytes(source.path, TOML_BYTES)
    root = source.directory.resolve()
    name = printable(source.path.resolve().relative_to(root).as_posix())
    try:
        mapping = parse_mapping(content)
        side = MappedSide.of(mapping, root, source.path.resolve().parent)
        limits = limits_note(FORMAT, (*mapping.cannot_know, *CANNOT_KNOW))
        taken = taken_side(side, source, limits)
    except SessionError as error:
        raise SessionError(f"{name}: {error}") from None
    evidence = InputFile(name, hashlib.sha256(content).hexdigest())
    return TakenSide(
        record=taken.record,
        inputs=(evidence, *taken.inputs),
        instruments=taken.instruments,
        currencies=taken.currencies,
        follows=taken.follows,
    )


def taken_side(side: MappedSide, source: SideSource, limits: str) -> TakenSide:
    """Return the side that a mapping reads, `limits` first among its notes."""
    record, follows = side.record(source.as_of, (limits,))
    record = replace(record, locator=side.locator)
    return TakenSide(
        record=record,
        inputs=side.sources.evidence,
        instruments=instruments_of(side),
        currencies=currencies_of(side.mapping),
        follows=follows,
    )


def instruments_of(side: MappedSide) -> Mapping[str, Instrument]:
    """Return the instruments that a mapping states, and those that symbols of pairs spell."""
    return {**side.pairs, **native_rows.instruments(side.mapping.instruments)}


def currencies_of(mapping: MappingFile) -> Mapping[str, Currency]:
    """Return the currencies that a mapping states."""
    return native_rows.currencies(mapping.currencies)


def parse_mapping(content: bytes) -> MappingFile:
    """Read a mapping from TOML; raises `SessionError`."""
    try:
        document = parse_toml(content, NumberText)
        mapping = MappingFile.model_validate(_amounts_as_text(document))
    except TomlError as error:
        raise SessionError(str(error)) from None
    except ValidationError as error:
        raise SessionError(problem_text(error, model=MappingFile, table="a table")) from None
    if all(getattr(mapping, name) is None for name in SECTIONS):
        raise SessionError(f"maps nothing; expected one of {', '.join(SECTIONS)}")
    return mapping


def _amounts_as_text(value: Any) -> Any:
    """Integers as the text that amounts are read from; floats came as text."""
    if isinstance(value, dict):
        return {name: _amounts_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return list(map(_amounts_as_text, value))
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return NumberText(str(value)) if is_number else value
