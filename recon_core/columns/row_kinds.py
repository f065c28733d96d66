"""The sections whose large tables are taken in columns, and what makes a row plainly right.

The conditions are those of the models of the session file (`recon_core.sessions.schema`).
"""

from collections.abc import Sequence
from typing import Final

from recon_core.columns.table_columns import RowKind, TableColumns
from recon_core.model import Fill, Leg, Movement, MovementKind, Order, OrderSide, OrderState

_SIDES: Final = tuple(OrderSide)


def _of_fill(columns: TableColumns) -> Sequence[str]:
    charged = f"({columns.value('fee')} = 0 OR {columns.text('fee_currency')} IS NOT NULL)"
    fee = [charged] if columns.has("fee") else []
    return [f"{columns.value('quantity')} > 0", *fee]


def _of_movement(columns: TableColumns) -> Sequence[str]:
    """Return that a row has currency with amount, or symbol with quantity, or both."""
    return [
        *(
            f"({columns.text(unit)} IS NULL) = ({columns.value(amount)} IS NULL)"
            for unit, amount in (("currency", "amount"), ("symbol", "quantity"))
        ),
        f"({columns.value('amount')} IS NOT NULL OR {columns.value('quantity')} IS NOT NULL)",
    ]


def _equal(*names: str) -> dict[str, str]:
    """Conditions that both rows state the same, or neither states anything."""
    return {name: f"a_{name} IS NOT DISTINCT FROM b_{name}" for name in names}


def _stated_alike(*names: str) -> dict[str, str]:
    """Conditions that no row states another text, which either may leave out."""
    return {
        name: f"(a_{name} = b_{name} OR a_{name} IS NULL OR b_{name} IS NULL)" for name in names
    }


def _of_order(columns: TableColumns) -> Sequence[str]:
    """Return that no quantity is below 0, and that a row has an id."""
    return [
        *(f"{columns.value(name)} >= 0" for name in _QUANTITIES),
        f"{_order_key(columns)} IS NOT NULL",
    ]


def _order_key(columns: TableColumns) -> str:
    """The client's id of an order, else that of the exchange, and which of them it is."""
    client, exchange = map(columns.text, ("client_order_id", "exchange_order_id"))
    return f"coalesce('c' || {client}, 'x' || {exchange})"


_QUANTITIES: Final = ("quantity", "filled_quantity")
_STATE_AGREES: Final = (
    "CASE a_state WHEN 'FILLED' THEN a_filled_quantity = a_quantity "
    "WHEN 'PARTIALLY_FILLED' THEN a_filled_quantity > 0 AND a_filled_quantity < a_quantity "
    "ELSE a_filled_quantity = 0 OR (a_filled_quantity < a_quantity AND a_state <> 'REJECTED') END"
)
"""The condition that the state of an order agrees with its quantities."""

FILLS: Final = RowKind(
    row_type=Fill,
    ids=("fill_id", "client_order_id", "exchange_order_id", "position_id"),
    words=("symbol", "fee_currency", "account", "leg"),
    amounts=("quantity", "price", "fee"),
    required=frozenset({"fill_id", "symbol", "side", "quantity", "price", "time"}),
    choices={"side": _SIDES, "leg": tuple(Leg)},
    conditions=_of_fill,
    key=("fill_id", "symbol"),
    # As `same_fill` of `recon_core.compare` has it.
    same={
        **{name: f"a_{name} = b_{name}" for name in ("side", "time", "quantity", "price", "fee")},
        "fee_currency": "(a_fee = 0 OR a_fee_currency = b_fee_currency)",
        **_stated_alike("client_order_id", "exchange_order_id"),
        "leg": "(a_leg = b_leg OR a_leg = 'NET' OR b_leg = 'NET')",
    },
    codes=("side", "symbol", "fee_currency"),
    of_both=frozenset({"client_order_id", "exchange_order_id", "leg"}),
    default={"leg": Leg.NET},
    zeros=frozenset({"fee"}),
)
MOVEMENTS: Final = RowKind(
    row_type=Movement,
    ids=("movement_id", "group"),
    words=("kind", "currency", "symbol", "account"),
    amounts=("amount", "quantity"),
    required=frozenset({"movement_id", "kind", "time"}),
    choices={"kind": tuple(MovementKind)},
    conditions=_of_movement,
    key=("movement_id",),
    # As `Movement.content` has it; accounts are part of the key.
    same=_equal("kind", "currency", "amount", "symbol", "quantity"),
    codes=("kind", "currency", "symbol"),
    fields={"kind": "movement_kind"},
)
ORDERS: Final = RowKind(
    row_type=Order,
    ids=("client_order_id", "exchange_order_id", "type"),
    words=("symbol", "account"),
    amounts=("quantity", "filled_quantity", "price", "average_fill_price"),
    required=frozenset({"symbol", "side", "quantity", "filled_quantity", "state", "time"}),
    choices={"side": _SIDES, "state": tuple(OrderState)},
    conditions=_of_order,
    key=("order_key",),
    # As `plainly_equal` of `recon_core.compare` has it.
    same={
        **{name: f"a_{name} = b_{name}" for name in ("side", "symbol", "time", *_QUANTITIES)},
        **_equal("price", "client_order_id", "exchange_order_id"),
        "state": f"a_state = b_state AND {_STATE_AGREES}",
    },
    codes=("side", "symbol"),
    alike=_QUANTITIES,
    derived={"order_key": _order_key},
    fields={"type": "order_type"},
)
