"""A side read by a mapping from tables that are written for one test."""

from pathlib import Path
from typing import Any

from recon_core.model import RecordedSession, SideRecord
from recon_core.sessions import read_session

from .builders import document, write_session


def recorded(directory: Path, mapping: str, **tables: str | bytes) -> RecordedSession:
    """The session whose internal side is taken by a mapping; `t_csv` is the file t.csv."""
    for name, content in tables.items():
        path = directory / name.replace("_", ".")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (directory / "map.toml").write_text(mapping)
    source = {"from": {"format": "table", "path": "map.toml"}}
    return read_session(write_session(directory, document(internal=source)))


def side_of(directory: Path, mapping: str, **tables: str | bytes) -> SideRecord:
    """The internal side of `recorded`."""
    side = recorded(directory, mapping, **tables).internal
    assert side is not None
    return side


def fills_of(directory: Path, mapping: str, **tables: str | bytes) -> tuple[Any, ...]:
    """The fills of `side_of`."""
    return tuple(side_of(directory, mapping, **tables).fills or ())
