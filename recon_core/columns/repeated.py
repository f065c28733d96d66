"""Fills that a table lists more than once."""

from recon_core.columns.fill_columns import FillColumns


def copies(columns: FillColumns) -> list[int]:
    """Return the numbers of all rows whose account, symbol and id another row has, too.

    Hashes of the keys are counted first: nearly always each is unique.
    """
    keys = "account, symbol, fill_id"
    rows = columns.selected("account", "symbol", "fill_id")
    ((different,),) = columns.answer(f"SELECT count(DISTINCT hash({keys})) FROM {rows}")
    if different == columns.count:
        return []
    query = f"SELECT list(number) FROM {rows} GROUP BY {keys} HAVING count(*) > 1"
    return sorted(number for (numbers,) in columns.answer(query) for number in numbers)
