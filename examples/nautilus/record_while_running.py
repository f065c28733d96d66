"""Record a nautilus_trader backtest while it runs, fill by fill.

    python record_while_running.py run
    pytest --recon-session=run

`write_nautilus_recording` (record_backtest.py) writes what the engine reports when it
is done. This writes what the strategy is told while it trades, so that a run that
crashes leaves what it had, marked as not complete.
"""

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.enums import AccountType, OmsType
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money
from nautilus_trader.test_kit.providers import TestInstrumentProvider
from record_backtest import BelowAndAboveAverage, random_quotes

from recon_core import Instrument, InstrumentKind, OrderState, SessionRecorder

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STATES = {state.value: state for state in OrderState} | {
    "INITIALIZED": OrderState.CREATED,
    "ACCEPTED": OrderState.ACKNOWLEDGED,
    "CANCELED": OrderState.CANCELLED,
    "DENIED": OrderState.REJECTED,
}


def time_of(nanoseconds: int) -> datetime:
    """A time of nautilus_trader; digits beyond the microsecond are cut."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


class Recorded(BelowAndAboveAverage):
    """The example's strategy, which records what it is told."""

    def __init__(self, instrument: CurrencyPair, recorder: SessionRecorder) -> None:
        super().__init__(instrument)
        self.recorder = recorder

    def on_order_event(self, event: Any) -> None:
        """Record the state that the event leaves the order in."""
        order = self.cache.order(event.client_order_id)
        state = None if order is None else STATES.get(order.status_string())
        if state is None:
            return  # not in the cache yet, or a state that the exchange never hears of
        self.recorder.internal.order(
            client_order_id=str(order.client_order_id),
            exchange_order_id=None if order.venue_order_id is None else str(order.venue_order_id),
            symbol=str(order.instrument_id),
            side=order.side_string(),
            order_type=order.type_string(),
            quantity=str(order.quantity),
            filled_quantity=str(order.filled_qty),
            state=state,
            time=time_of(event.ts_event),
        )

    def on_order_filled(self, event: Any) -> None:
        """Record the fill."""
        self.recorder.internal.fill(
            fill_id=str(event.trade_id),
            client_order_id=str(event.client_order_id),
            exchange_order_id=str(event.venue_order_id),
            symbol=str(event.instrument_id),
            side="BUY" if event.is_buy else "SELL",
            quantity=str(event.last_qty),
            price=str(event.last_px),
            fee=Decimal(str(event.commission.as_decimal())),
            fee_currency=str(event.commission.currency),
            time=time_of(event.ts_event),
        )


def main(directory: str) -> None:
    """Run the backtest; the external side is the account when it has ended."""
    pair = TestInstrumentProvider.btcusdt_binance()
    known = Instrument(str(pair.id), InstrumentKind.SPOT, "BTC", "USDT", "USDT")
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(
        venue=pair.id.venue,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        base_currency=None,
        starting_balances=[Money(100_000, USDT), Money(1, BTC)],
    )
    engine.add_instrument(pair)
    engine.add_data(random_quotes(pair, count=1_000, seed=7))
    with SessionRecorder(
        directory, mode="SIM", instruments=[known], currencies={"USDT": 8, "BTC": 8}
    ) as recorder:
        recorder.internal.opening(cash={"USDT": 100_000, "BTC": 1})
        engine.add_strategy(Recorded(pair, recorder))
        engine.run()
        account = engine.cache.account_for_venue(pair.id.venue)
        totals = {str(code): money.as_decimal() for code, money in account.balances_total().items()}
        recorder.external.cash(totals)
        recorder.external.positions({str(pair.id): engine.portfolio.net_position(pair.id)})
    engine.dispose()
    print(f"session written to {recorder.path}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "run")
