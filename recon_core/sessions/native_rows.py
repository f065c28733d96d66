"""From the checked rows of a session file to the values of the model."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from recon_core.model import (
    BALANCE_PARTS,
    CashBalance,
    Currency,
    Fill,
    Instrument,
    InstrumentKind,
    Leg,
    Movement,
    MovementKind,
    Order,
    OrderSide,
    OrderState,
    Position,
    View,
)
from recon_core.sessions import schema
from recon_core.values.amounts import ZERO
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable


def position(row: schema.PositionRow) -> Position:
    """A position, as the model has it."""
    return Position(
        row.symbol, row.quantity, row.average_price, row.account, Leg(row.leg), row.mark_price
    )


def balance(row: schema.CashRow) -> CashBalance:
    """A balance, as the model has it."""
    parts = {name: getattr(row, name) for name in BALANCE_PARTS}
    return CashBalance(row.currency, row.total, account=row.account, **parts)


def fill(row: schema.FillRow) -> Fill:
    """A fill; without a fee it cost nothing."""
    return Fill(
        fill_id=row.fill_id,
        symbol=row.symbol,
        side=OrderSide(row.side),
        quantity=row.quantity,
        price=row.price,
        time=row.time,
        fee=ZERO if row.fee is None else row.fee,
        fee_currency=row.fee_currency,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        account=row.account,
        leg=Leg(row.leg),
        position_id=row.position_id,
    )


def order(row: schema.OrderRow) -> Order:
    """An order, as the model has it."""
    return Order(
        symbol=row.symbol,
        side=OrderSide(row.side),
        quantity=row.quantity,
        filled_quantity=row.filled_quantity,
        state=OrderState(row.state),
        time=row.time,
        client_order_id=row.client_order_id,
        exchange_order_id=row.exchange_order_id,
        order_type=row.type,
        price=row.price,
        account=row.account,
        average_fill_price=row.average_fill_price,
    )


def movement(row: schema.MovementRow) -> Movement:
    """A movement, as the model has it."""
    return Movement(
        movement_id=row.movement_id,
        movement_kind=MovementKind(row.kind),
        time=row.time,
        currency=row.currency,
        amount=row.amount,
        symbol=row.symbol,
        quantity=row.quantity,
        account=row.account,
        group=row.group,
    )


def state_key(row: Any) -> tuple[Any, ...]:
    """Return what identifies a position or a balance, of the file or of the model."""
    is_position = hasattr(row, "symbol")
    return (row.account, row.symbol, row.leg) if is_position else (row.account, row.currency)


def refuse_duplicates(keys: Iterable[tuple[Any, ...]], where: str) -> None:
    """Raise `SessionError` for one position or balance twice on one side."""
    seen: set[tuple[Any, ...]] = set()
    for key in keys:
        if key in seen:
            shown = ", ".join(printable(part, 60) for part in key if part is not None)
            raise SessionError(f"{where}: duplicate {shown}; expected each key once")
        seen.add(key)


def instruments(tables: Mapping[str, schema.InstrumentTable]) -> dict[str, Instrument]:
    """Return the instruments by symbol; the default is to settle in quote, inverse ones in base."""
    return {
        symbol: Instrument(
            symbol=symbol,
            instrument_kind=InstrumentKind(table.kind),
            base=table.base,
            quote=table.quote,
            settlement=table.settlement or (table.base if table.kind == "inverse" else table.quote),
            multiplier=Decimal(1) if table.multiplier is None else table.multiplier,
            quantity_increment=table.quantity_increment,
            settles_daily=table.settles == "daily",
            arithmetic_average=table.average == "arithmetic",
            float_notional=table.notional == "float",
        )
        for symbol, table in tables.items()
    }


def kept(views: Mapping[str, str]) -> dict[str, View]:
    """The views that a side says it keeps, by asset."""
    return {asset: View(view) for asset, view in views.items()}


def currencies(tables: Mapping[str, schema.CurrencyTable]) -> dict[str, Currency]:
    """The currencies by code."""
    return {code: Currency(code, table.precision) for code, table in tables.items()}
