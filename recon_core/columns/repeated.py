"""Fills that a table lists more than once.

Hashes of the keys are sorted first, which is quick: nearly always each is unique, and so are the
keys then.
"""

from collections.abc import Sequence

from recon_core.columns.fill_columns import FillColumns

_KEY = ("account", "symbol", "fill_id")


def copies(columns: FillColumns) -> list[int]:
    """Return the numbers of all rows whose account, symbol and id another row has, too."""
    if are_unique(columns, _KEY):
        return []
    keys = ", ".join(_KEY)
    rows = columns.selected(*_KEY)
    query = f"SELECT list(number) FROM {rows} GROUP BY {keys} HAVING count(*) > 1"
    return sorted(number for (numbers,) in columns.answer(query) for number in numbers)


def are_unique(columns: FillColumns, key: Sequence[str]) -> bool:
    """True if no two rows have the same key; false also where two hashes are equal by chance."""
    hashes = f"SELECT hash({', '.join(key)}) AS hash FROM {columns.selected(*key)} ORDER BY hash"
    # That the hashes do arrive in order is asked, too.
    query = (
        "SELECT coalesce(bool_and(hash > former), true) FROM "
        f"(SELECT hash, lag(hash) OVER () AS former FROM ({hashes}))"
    )
    ((found,),) = columns.answer(query)
    return bool(found)
