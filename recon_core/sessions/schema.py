"""The session file `recon.session/1`, field by field: the single source of the format.

These pydantic models are used at the file boundary only; `recon_core.sessions.native` turns
them into `recon_core.model`. JSON numbers reach them as `NumberText`.
"""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recon_core.sessions.fast_rows import PlainFills, plain_fills
from recon_core.values.fields import (
    TAG_PREFIX,
    Amount,
    Count,
    Entries,
    FileModel,
    FileTable,
    Kept,
    Limit,
    Name,
    PositiveAmount,
    RowList,
    Time,
)

SCHEMA: Final = "recon.session/1"
ROW_NAMES: Final = {
    "positions": ("symbol",),
    "cash": ("currency",),
    "orders": ("client_order_id", "exchange_order_id"),
    "fills": ("fill_id",),
    "movements": ("movement_id",),
}
"""By section, the fields of a row that name it."""
_MAPPING, _ROWS, _TABLE = (f"{TAG_PREFIX}{tag}" for tag in ("mapping", "rows", "table"))
_MIRROR, _FROM, _SIDE = (f"{TAG_PREFIX}{tag}" for tag in ("mirror", "from", "side"))


class TableReference(FileTable):
    """A table outside the session file, in its directory."""

    path: Name


class PositionRow(FileModel):
    """A signed quantity, in units of the instrument."""

    symbol: Name
    quantity: Amount
    average_price: Amount | None = None
    account: Name | None = None
    leg: Literal["NET", "LONG", "SHORT"] = "NET"
    mark_price: Amount | None = None


class CashRow(FileModel):
    """A balance, in units of the currency."""

    currency: Name
    total: Amount
    free: Amount | None = None
    locked: Amount | None = None
    account: Name | None = None
    debt: Amount | None = None
    settled: Amount | None = None
    unrealised: Amount | None = None


class OrderRow(FileModel):
    """One order, identified by at least one of its two ids."""

    client_order_id: Name | None = None
    exchange_order_id: Name | None = None
    symbol: Name
    side: Literal["BUY", "SELL"]
    type: Name | None = None
    quantity: Limit
    filled_quantity: Limit
    price: Amount | None = None
    state: Literal[
        "CREATED",
        "SUBMITTED",
        "ACKNOWLEDGED",
        "PARTIALLY_FILLED",
        "FILLED",
        "CANCELLED",
        "REJECTED",
        "EXPIRED",
        "FAILED",
    ]
    time: Time
    account: Name | None = None
    average_fill_price: Amount | None = None

    @model_validator(mode="after")
    def _identified(self) -> "OrderRow":
        if self.client_order_id is None and self.exchange_order_id is None:
            raise PydanticCustomError("recon", "expected client_order_id or exchange_order_id")
        return self


class FillRow(FileModel):
    """One execution; `fee` is a cost in `fee_currency`, negative for a rebate."""

    fill_id: Name
    client_order_id: Name | None = None
    exchange_order_id: Name | None = None
    symbol: Name
    side: Literal["BUY", "SELL"]
    quantity: PositiveAmount
    price: Amount
    fee: Amount | None = None
    fee_currency: Name | None = None
    time: Time
    account: Name | None = None
    leg: Literal["NET", "LONG", "SHORT"] = "NET"
    position_id: Name | None = None

    @model_validator(mode="after")
    def _fee_has_currency(self) -> "FillRow":
        if self.fee and self.fee_currency is None:
            raise PydanticCustomError("recon", "a fee needs a fee_currency")
        return self


class MovementRow(FileModel):
    """Cash or quantity that moved without a fill."""

    movement_id: Name
    kind: Literal[
        "deposit",
        "withdrawal",
        "transfer",
        "funding",
        "interest",
        "fee",
        "dividend",
        "split",
        "conversion",
        "adjustment",
        "reward",
        "rename",
        "settlement",
        "assignment",
        "exercise",
        "expiry",
    ]
    time: Time
    currency: Name | None = None
    amount: Amount | None = None
    symbol: Name | None = None
    quantity: Amount | None = None
    account: Name | None = None
    group: Name | None = None

    @model_validator(mode="after")
    def _moves_something(self) -> "MovementRow":
        cash, quantity = (self.currency, self.amount), (self.symbol, self.quantity)
        if (cash[0] is None) != (cash[1] is None) or (quantity[0] is None) != (quantity[1] is None):
            raise PydanticCustomError(
                "recon", "expected currency with amount, symbol with quantity"
            )
        if cash[0] is None and quantity[0] is None:
            raise PydanticCustomError("recon", "expected an amount or a quantity that moves")
        return self


def _form(value: Any) -> str | None:
    """Return the way of writing a section that `value` has."""
    if isinstance(value, list):
        return _ROWS
    if isinstance(value, dict):
        # A symbol could be called "path"; a quantity never looks like a file name.
        is_table = value.keys() == {"path"} and isinstance(value["path"], str)
        return _TABLE if is_table and not value["path"].lstrip("-")[:1].isdigit() else _MAPPING
    return None


# "section" is explained in recon_core.values.fields, with its value.
_FORM = Discriminator(_form, custom_error_type="section", custom_error_message="not a section")
_Row = TypeVar("_Row")
Rows = Annotated[
    Annotated[RowList[_Row], Tag(_ROWS)] | Annotated[TableReference, Tag(_TABLE)], _FORM
]
Positions = Annotated[
    Annotated[Entries[Name, Amount], Tag(_MAPPING)]
    | Annotated[RowList[PositionRow], Tag(_ROWS)]
    | Annotated[TableReference, Tag(_TABLE)],
    _FORM,
]
Cash = Annotated[
    Annotated[Entries[Name, Amount], Tag(_MAPPING)]
    | Annotated[RowList[CashRow], Tag(_ROWS)]
    | Annotated[TableReference, Tag(_TABLE)],
    _FORM,
]


def _plain_first(rows: Any, handler: ValidatorFunctionWrapHandler, about: ValidationInfo) -> Any:
    """Read plain fills without a file model each; the models explain the refused ones.

    The context is the `ReadBefore` of the file, or nothing.
    """
    fills = rows if isinstance(rows, PlainFills) else plain_fills(rows, about.context)
    return handler(rows) if fills is None else fills


FillRows = Annotated[RowList[FillRow], WrapValidator(_plain_first)]
Fills = Annotated[Annotated[FillRows, Tag(_ROWS)] | Annotated[TableReference, Tag(_TABLE)], _FORM]


class OpeningTable(FileTable):
    """The state before the first fill."""

    as_of: Time | None = None
    positions: Positions = Field(default_factory=list)
    cash: Cash = Field(default_factory=list)


class SnapshotTable(FileTable):
    """A state in between."""

    as_of: Time
    positions: Positions | None = None
    cash: Cash | None = None


class CountsTable(FileTable):
    """Counts of rows that the source itself made."""

    positions: Count | None = None
    cash: Count | None = None
    orders: Count | None = None
    fills: Count | None = None
    movements: Count | None = None


class SideTable(FileTable):
    """Statement of one side. An absent section is not reported; an empty one is empty."""

    as_of: Time
    source: str | None = None
    numbers: Literal["decimal", "float"] = "decimal"
    complete: bool = True
    positions: Positions | None = None
    cash: Cash | None = None
    orders: Rows[OrderRow] | None = None
    fills: Fills | None = None
    movements: Rows[MovementRow] | None = None
    opening: OpeningTable | None = None
    snapshots: Rows[SnapshotTable] | None = None
    counts: CountsTable | None = None
    keeps: Kept = Field(default_factory=dict)
    miscounts: RowList[Name] = Field(default_factory=list)


class MirrorSide(FileTable):
    """The runbook's mock: the external side is a copy of the internal one."""

    mirror: Literal["internal"]


class ForeignSource(FileTable):
    """Source of a side: a foreign recording beside the session file.

    `as_of` is for formats that state no time of their own.
    """

    format: Name
    path: Name
    side: Literal["internal", "external"] | None = None
    as_of: Time | None = None


class ForeignSide(FileTable):
    """A side of a foreign recording."""

    source: ForeignSource = Field(alias="from")


def _side_form(value: Any) -> str:
    return _FROM if isinstance(value, dict) and "from" in value else _SIDE


def _external_form(value: Any) -> str:
    return _MIRROR if isinstance(value, dict) and "mirror" in value else _side_form(value)


InternalSide = Annotated[
    Annotated[SideTable, Tag(_SIDE)] | Annotated[ForeignSide, Tag(_FROM)],
    Discriminator(_side_form),
]
ExternalSide = Annotated[
    Annotated[SideTable, Tag(_SIDE)]
    | Annotated[ForeignSide, Tag(_FROM)]
    | Annotated[MirrorSide, Tag(_MIRROR)],
    Discriminator(_external_form),
]


class InstrumentTable(FileTable):
    """Instrument of a symbol; required to replay cash."""

    kind: Literal["spot", "equity", "fx", "option", "linear", "inverse", "future"]
    base: Name
    quote: Name
    settlement: Name | None = None
    multiplier: PositiveAmount | None = None
    quantity_increment: PositiveAmount | None = None
    settles: Literal["daily"] | None = None
    average: Literal["arithmetic"] | None = None
    notional: Literal["float"] | None = None

    @model_validator(mode="after")
    def _rules_are_of_their_kind(self) -> "InstrumentTable":
        if self.settles is not None and self.kind != "future":
            raise PydanticCustomError("recon", "settles is of a future; expected kind future")
        if self.average is not None and self.kind != "inverse":
            raise PydanticCustomError("recon", "average is of kind inverse; expected that kind")
        if self.notional is not None and self.kind not in {"spot", "equity", "fx", "option"}:
            raise PydanticCustomError(
                "recon", "notional is of what is paid for; expected kind spot, equity, fx or option"
            )
        return self


class CurrencyTable(FileTable):
    """Decimal places that a posting in the currency is rounded to, 0 to 30."""

    precision: Annotated[Count, Field(le=30)]


class SessionFile(FileTable):
    """The whole file."""

    schema_name: Literal["recon.session/1"] = Field(alias="schema")
    session_id: Name
    strategy_id: str = ""
    mode: Literal["SIM", "PAPER", "LIVE"] | None = None
    instruments: Entries[Name, InstrumentTable] = Field(default_factory=dict)
    currencies: Entries[Name, CurrencyTable] = Field(default_factory=dict)
    internal: InternalSide | None = None
    external: ExternalSide | None = None
