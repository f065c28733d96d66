"""The mutants that no test can kill, with the reason for each (`equivalents.toml`)."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from .mutants import Key, Mutant

LIST = Path(__file__).with_name("equivalents.toml")


def read_equivalents(path: Path = LIST) -> dict[Key, str]:
    """The listed mutants and their reasons; raises `ValueError` where one is listed twice."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("equivalent", [])
    listed: dict[Key, str] = {}
    for entry in entries:
        reason = entry.pop("reason")
        key = Key(**entry)
        if key in listed:
            raise ValueError(f"{path.name}: {key} is listed twice")
        listed[key] = reason
    return listed


def unknown(listed: Mapping[Key, str], mutants: Iterable[Mutant]) -> list[Key]:
    """The listed mutants that the source does not have any more."""
    existing = {mutant.key for mutant in mutants}
    return [key for key in listed if key not in existing]
