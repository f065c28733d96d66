"""Rows that a table lists more than once.

Hashes of the keys are sorted first, which is quick: nearly always each is unique, and so are the
keys then.
"""

from collections.abc import Sequence

from recon_core.columns.table_columns import TableColumns


def copies(columns: TableColumns) -> list[int]:
    """Return the numbers of all rows whose key and account another row has, too."""
    key = (*columns.kind.key, "account")
    if are_unique(columns, key):
        return []
    keys = ", ".join(key)
    rows = columns.selected(*key)
    query = f"SELECT list(number) FROM {rows} GROUP BY {keys} HAVING count(*) > 1"
    return sorted(number for (numbers,) in columns.answer(query) for number in numbers)


def are_unique(columns: TableColumns, key: Sequence[str]) -> bool:
    """True if no two rows have the same key; false also where two hashes are equal by chance."""
    hashes = f"SELECT hash({', '.join(key)}) AS hash FROM {columns.selected(*key)} ORDER BY hash"
    # That the hashes do arrive in order is asked, too.
    query = (
        "SELECT coalesce(bool_and(hash > former), true) FROM "
        f"(SELECT hash, lag(hash) OVER () AS former FROM ({hashes}))"
    )
    ((found,),) = columns.answer(query)
    return bool(found)
