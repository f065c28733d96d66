"""Prices of fills whose source states what they were worth, and no price.

A statement says that 6.0012 EUR were paid for 0.0001 BTC: each price from 60011.5 to 60012.5
makes that, and a reader takes the shortest, 60012. Where the other side lists the same fill at
one of these prices, such as 60012.3, the statement does not contradict it, and its price is that.
"""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.model import Fill, SideRecord
from recon_core.values.amounts import EXACT, decimal_places

_HALF: Final = Decimal("0.5")


def with_known_prices(record: SideRecord | None, other: SideRecord | None) -> SideRecord | None:
    """Return a side whose derived prices are those of the other side where they may be."""
    if record is None or other is None or not record.values or not other.fills:
        return record
    known = {fill.fill_id: fill for fill in other.fills}
    stated = record.fill_rows
    fills = tuple(_priced(fill, known.get(fill.fill_id), record.values) for fill in stated)
    taken = sum(one is not before for one, before in zip(fills, stated, strict=True))
    if not taken:
        return record
    note = f"fills at a price of the other side: {taken}; the source states what they were worth"
    return replace(record, fills=fills, notes=(*record.notes, note))


def _priced(fill: Fill, same: Fill | None, values: Mapping[str, Decimal]) -> Fill:
    value = values.get(fill.fill_id)
    if value is None or same is None or same.price == fill.price:
        return fill
    gap = EXACT.subtract(EXACT.multiply(fill.quantity, same.price), value).copy_abs()
    if gap > EXACT.scaleb(_HALF, -decimal_places(value)):
        return fill
    return replace(fill, price=same.price)
