"""Differences between rows in some of their fields: in words, and by how much."""

from collections.abc import Iterator, Sequence
from typing import Final

from recon_core.compare.rows.row_texts import stated_ids
from recon_core.model import Fill, Order
from recon_core.model.matched_rows import Gap, RowCase, RowFinding

_IDS: Final = frozenset({"client_order_id", "exchange_order_id"})
_AMOUNTS: Final = frozenset({"quantity", "filled_quantity", "price", "fee"})


def differing(
    case: RowCase, names: Sequence[str], rows: Sequence[Fill | Order], *, in_floats: bool
) -> RowFinding:
    """The finding that `rows` differ in the fields `names`.

    Where a side computed in binary floats it says by how much, if nothing differs but
    amounts.
    """
    shown = [name + (stated_ids(rows, name) if name in _IDS else "") for name in names]
    text = f"{' and '.join(shown)} {'differ' if names[1:] else 'differs'}"
    gaps = tuple(_gaps(names, rows)) if in_floats and _only_amounts(names, rows) else ()
    return RowFinding(case, text, gaps)


def _only_amounts(names: Sequence[str], rows: Sequence[Fill | Order]) -> bool:
    """True if the differing fields are all amounts in one unit."""
    if "fee" in names:
        fees = [row for row in rows if isinstance(row, Fill) and row.fee]
        if len({fill.fee_currency for fill in fees}) > 1:
            return False
    return _AMOUNTS.issuperset(names)


def _gaps(names: Sequence[str], rows: Sequence[Fill | Order]) -> Iterator[Gap]:
    for name in names:
        values = [getattr(row, name) for row in rows if getattr(row, name) is not None]
        yield Gap(min(values), max(values), of_price=name == "price")
