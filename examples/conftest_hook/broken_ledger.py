"""The same ledger with a fault that looks harmless: a sale pays its fee in the base currency.

Every test that only buys passes with it. A recorded session with a sale does not.
"""

from collections.abc import Iterable
from dataclasses import replace

from our_ledger import OurLedger

from recon_core import Fill


class BrokenLedger(OurLedger):
    """Books the fee of a sale in what was sold."""

    def book(self, fills: Iterable[Fill]) -> None:
        """Book fills, the fee of a sale in the wrong currency."""
        super().book(
            replace(fill, fee_currency=fill.symbol.split("/")[0]) if fill.side == "SELL" else fill
            for fill in fills
        )
