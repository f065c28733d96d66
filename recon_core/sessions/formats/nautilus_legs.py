"""Leg of a position id of nautilus_trader.

An engine that nets has one id per instrument and strategy, or one that ends in `-BOTH`. A
hedging venue's ids end in `-LONG` or `-SHORT`, or are made new for every position, which
then is of the direction that it was opened in.
"""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Final

from recon_core.model import Fill, Leg, OrderSide
from recon_core.sessions.formats.nautilus_rows import Row, amount, cell
from recon_core.values.amounts import EXACT, ZERO
from recon_core.values.errors import SessionError
from recon_core.values.printable import quoted

_ENDINGS: Final = {"-LONG": Leg.LONG, "-SHORT": Leg.SHORT, "-BOTH": Leg.NET}
_SIDES: Final = {"LONG": Leg.LONG, "SHORT": Leg.SHORT}
_ENTRIES: Final = {"BUY": Leg.LONG, "SELL": Leg.SHORT}
_SIGNS: Final = {"LONG": Decimal(1), "SHORT": Decimal(-1), "FLAT": Decimal(0)}


class Legs:
    """The legs of a recording's positions; `fills` are those of `rows`, in their order."""

    def __init__(self, rows: Iterable[Row], fills: Iterable[Fill]) -> None:
        self._opened: dict[str | None, Leg] = {}
        held: dict[str | None, Decimal] = {}
        given = list(zip(rows, fills, strict=True))
        for _, fill in sorted(given, key=lambda pair: pair[1].time):
            before = held.get(fill.position_id, ZERO)
            signed = fill.quantity if fill.side is OrderSide.BUY else fill.quantity.copy_negate()
            after = held[fill.position_id] = EXACT.add(before, signed)
            self._note(fill.position_id, before, after)
        self.fills = tuple(_on_leg(fill, self._leg(row)) for row, fill in given)

    def _note(self, position_id: str | None, before: Decimal, after: Decimal) -> None:
        """A position that turns from long to short, in whatever way, is a netted one."""
        direction = Leg.LONG if (after or before) > 0 else Leg.SHORT
        if self._opened.setdefault(position_id, direction) is not direction:
            self._opened[position_id] = Leg.NET

    def _leg(self, row: Row) -> Leg:
        position_id = row.get("position_id", "")
        netted = f"{row.get('instrument_id')}-{row.get('strategy_id')}"
        if position_id in ("", netted):
            return Leg.NET
        named = (leg for end, leg in _ENDINGS.items() if position_id.endswith(end))
        side, entry = _SIDES.get(row.get("side", "")), _ENTRIES.get(row.get("entry", ""))
        return next(named, None) or self._opened.get(position_id) or side or entry or Leg.NET

    def position(self, row: Row) -> tuple[tuple[str, str, Leg], Decimal]:
        """Account, symbol and leg of a row of the positions report, and its signed quantity."""
        side = cell(row, "side")
        if side not in _SIGNS:
            raise SessionError(f"side: {quoted(side)}; expected LONG, SHORT or FLAT")
        where = cell(row, "account_id"), cell(row, "instrument_id"), self._leg(row)
        return where, EXACT.multiply(_SIGNS[side], amount(row, "quantity"))


def _on_leg(fill: Fill, leg: Leg) -> Fill:
    return fill if leg is Leg.NET else replace(fill, leg=leg)
