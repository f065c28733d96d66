"""An asset that one side does not list where it is compared, and states in its other list.

A ledger that is replayed has 0.10 BTC as position BTC/EUR and as balance BTC. An exchange that
lists the position, and balances of other coins, seems to have no BTC: it may keep no balance of
it. `keeps` says so, in the session or in the policy.
"""

from collections.abc import Iterator
from decimal import Decimal

from recon_core.model import CashBalance, LedgerSide, Position, RecordedSession, SideRecord, View
from recon_core.model.assets import delivering
from recon_core.model.comparison import Comparison
from recon_core.values.amounts import ZERO, exact_sum, format_amount
from recon_core.values.printable import printable


def other_view_note(recorded: RecordedSession, comparison: Comparison) -> str | None:
    """Return the note on an asset in a side's other list, `None` where it is not there.

    What is there must equal what the other side has, in this list or in that one.
    """
    value, silent = comparison.internal, LedgerSide.EXTERNAL
    if value is None:
        value, silent = comparison.external, LedgerSide.INTERNAL
    both = comparison.internal is not None and comparison.external is not None
    records = recorded.own_records()
    if both or comparison.side is not None or len(records) < len(LedgerSide):
        return None
    asset, amount, other = _asset(recorded, value)
    account = value.account if isinstance(value, Position | CashBalance) else None
    any_account = ",account=" not in comparison.key
    theirs, ours = (
        [
            (name, each)
            for name, of_account, each in _listed(recorded, records[side], asset, other)
            if any_account or of_account == account
        ]
        for side in (silent, silent.other)
    )
    total, elsewhere = (exact_sum(each for _, each in rows) for rows in (theirs, ours))
    if not total or total not in (amount, elsewhere):
        return None
    names = ", ".join(sorted({printable(name, 60) for name, _ in theirs}))
    shown = printable(asset, 60)
    this = View.BALANCE if other is View.POSITION else View.POSITION
    return (
        f"{silent} lists {format_amount(total)} as {other} {names}; if it keeps no {this} of "
        f'{shown}, the policy says [keeps] {silent} = {{ "{shown}" = "{other}" }}'
    )


def _asset(recorded: RecordedSession, value: object) -> tuple[str, Decimal, View]:
    """Return the asset of a position or a balance, its amount, and the other list.

    No asset, which is in no list, where a symbol delivers none.
    """
    if isinstance(value, CashBalance):
        return value.currency, value.total, View.POSITION
    if isinstance(value, Position):
        instrument = delivering(value.symbol, recorded.instruments)
        if instrument is not None:
            return instrument.base, value.quantity, View.BALANCE
    return "", ZERO, View.BALANCE


def _listed(
    recorded: RecordedSession, record: SideRecord, asset: str, view: View
) -> Iterator[tuple[str, str | None, Decimal]]:
    """Yield name, account and amount of the rows of an asset in one list."""
    if view is View.BALANCE:
        for balance in record.cash_rows:
            if balance.currency == asset:
                yield asset, balance.account, balance.total
        return
    for row in record.position_rows:
        instrument = delivering(row.symbol, recorded.instruments)
        if instrument is not None and instrument.base == asset:
            yield row.symbol, row.account, row.quantity
