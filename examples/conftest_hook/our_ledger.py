"""The ledger code of this project: the code that recorded sessions are to test."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from recon_core import CashBalance, Fill, Opening, Position


class OurLedger:
    """Keeps a net quantity per symbol and a balance per currency."""

    def __init__(self, opening: Opening) -> None:
        self.quantities: dict[str, Decimal] = defaultdict(Decimal)
        self.balances: dict[str, Decimal] = defaultdict(Decimal)
        for balance in opening.cash:
            self.balances[balance.currency] += balance.total

    def book(self, fills: Iterable[Fill]) -> None:
        """Book fills of pairs that are written BASE/QUOTE."""
        for fill in fills:
            base, quote = fill.symbol.split("/")
            signed = fill.quantity if fill.side == "BUY" else -fill.quantity
            self.quantities[fill.symbol] += signed
            self.balances[base] += signed
            self.balances[quote] -= signed * fill.price
            if fill.fee_currency:
                self.balances[fill.fee_currency] -= fill.fee

    def positions(self) -> tuple[Position, ...]:
        """Return the net quantity of every symbol."""
        return tuple(Position(symbol, quantity) for symbol, quantity in self.quantities.items())

    def cash(self) -> tuple[CashBalance, ...]:
        """Return the balance of every currency."""
        return tuple(CashBalance(code, total) for code, total in self.balances.items())
