"""Entries of waivers written as TOML; a file keeps its comments and its order."""

from collections.abc import Iterable
from typing import Any

import tomlkit
from tomlkit.items import AoT, Table

from recon_core.policy.waivers import Waiver
from recon_core.values.errors import PolicyError

_TABLE = "waiver"


def text_with(text: str, waiver: Waiver) -> str:
    """Return the text of a file with one more entry at its end.

    Raises `PolicyError` where its entries are in another form than `[[waiver]]`.
    """
    # With an empty line, as a person would leave one.
    document = tomlkit.parse(f"{text.rstrip()}\n\n" if text.strip() else "")
    entries = document.setdefault(_TABLE, tomlkit.aot())
    if not isinstance(entries, AoT):
        raise PolicyError("waiver: a list in brackets; expected each entry as [[waiver]]")
    entries.append(_table(waiver))
    return tomlkit.dumps(document)


def text_of(waivers: Iterable[Waiver], comments: Iterable[str]) -> str:
    """Return the text of a new file, with comments at its head."""
    document = tomlkit.document()
    for comment in comments:
        document.add(tomlkit.comment(comment))
    entries = tomlkit.aot()
    for waiver in waivers:
        entries.append(_table(waiver))
    document.add(_TABLE, entries)
    return tomlkit.dumps(document)


def _table(waiver: Waiver) -> Table:
    table = tomlkit.table()
    values: dict[str, Any] = {**waiver.to_dict(), "expires": waiver.expires}
    for name, value in values.items():
        table.add(name, value)
    return table
