"""Sums of the amounts of movements, each rounded on its own, as the ledger posts them."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from recon_core.columns.rounding import Rounded
from recon_core.columns.table_columns import TableColumns
from recon_core.model.movement_table import MovementSum
from recon_core.values.amounts import EXACT, with_places


def movement_sums(
    columns: TableColumns, currencies: Mapping[str, int | None], unnamed: str | None
) -> Sequence[MovementSum]:
    """Return the sums by kind, currency and account, in the order in which they begin.

    `currencies` has the places that each is rounded to; rows without an account are in `unnamed`.
    Raises `ColumnsError` where a sum has more digits than columns hold.
    """
    amount = columns.amount("amount")
    roundings = sorted({places for places in currencies.values() if places is not None})
    rounded = [Rounded("amount", amount.digits, amount.places, to) for to in roundings]
    written = ["amount_places"] if amount.written else []
    rows = columns.selected("kind", "currency", "account", "time", "amount", *written)
    sums = "".join(f", sum({one.sql()})" for one in rounded)
    # Movements are posted by time, and those of one time in the order of the table.
    query = (
        "SELECT kind, currency, account, sum(amount), "
        f"max({written[0] if written else amount.places}){sums} "
        f"FROM {rows} WHERE amount IS NOT NULL GROUP BY kind, currency, account "
        "ORDER BY min({'time': time, 'number': number})"
    )
    found: dict[tuple[str, str, str | None], Decimal] = {}
    for kind, currency, account, whole, places, *by_places in columns.answer(query):
        to = currencies[currency]
        value = whole if to is None else by_places[roundings.index(to)]
        exact = with_places(value, int(places) if to is None else to)
        key = kind, currency, unnamed if account is None else account
        found[key] = EXACT.add(found[key], exact) if key in found else exact
    return [MovementSum(*key, amount) for key, amount in found.items()]
