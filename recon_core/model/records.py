"""Recorded sessions: instruments, both sides, and their rows.

Frozen values, already checked: the file boundary (`recon_core.sessions`) makes them from
text, a simulator's tests make them from Python. Quantities are in units of the instrument,
amounts and fees in units of the named currency, times in UTC. `None` for a section means
that the side does not report it; an empty tuple means that it reports it and there is
nothing (design, "Absent is not zero").
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Self

from recon_core.model.fill_table import FillTable, table_of
from recon_core.model.movement_table import movement_table_of
from recon_core.model.order_table import order_table_of
from recon_core.values.amounts import MOST_DIGITS, MOST_STATE_DIGITS, ZERO, require_amount
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable, quoted
from recon_core.values.times import require_time


class LedgerSide(StrEnum):
    """Side of a session: the system's own ledger, or the exchange's word."""

    INTERNAL = "internal"
    EXTERNAL = "external"

    @property
    def other(self) -> "LedgerSide":
        """The side that this one is held against."""
        return LedgerSide.EXTERNAL if self is LedgerSide.INTERNAL else LedgerSide.INTERNAL


class OrderSide(StrEnum):
    """Direction of an order or a fill."""

    BUY = "BUY"
    SELL = "SELL"

    @property
    def other(self) -> "OrderSide":
        """SELL of BUY, and BUY of SELL."""
        return OrderSide.SELL if self is OrderSide.BUY else OrderSide.BUY


class Leg(StrEnum):
    """NET for a netting account; a hedging account keeps LONG and SHORT separately."""

    NET = "NET"
    LONG = "LONG"
    SHORT = "SHORT"


class SessionMode(StrEnum):
    """Mode of trading: simulated, on paper, or live."""

    SIM = "SIM"
    PAPER = "PAPER"
    LIVE = "LIVE"


class InstrumentKind(StrEnum):
    """Kind of an instrument, which decides how a fill moves cash.

    A kind that `delivers` moves the base asset itself, which an account holds under its own
    name; fills of a `derivative` move cash by fee and gain only, and not by their price.
    """

    delivers: bool
    derivative: bool

    SPOT = "spot", True, False
    EQUITY = "equity", True, False
    FX = "fx", True, False
    OPTION = "option", False, False
    LINEAR = "linear", False, True
    INVERSE = "inverse", False, True
    FUTURE = "future", False, True

    def __new__(cls, value: str, delivers: bool = False, derivative: bool = False) -> Self:  # noqa: FBT001, FBT002
        """Make a member: its text in a file, and how its fills move cash."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.delivers = delivers
        member.derivative = derivative
        return member


class OrderState(StrEnum):
    """States of an order, as in the session format."""

    CREATED = "CREATED"
    SUBMITTED = "SUBMITTED"
    ACKNOWLEDGED = "ACKNOWLEDGED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


class MovementKind(StrEnum):
    """Kind of a movement of cash or quantity without a fill."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER = "transfer"
    FUNDING = "funding"
    INTEREST = "interest"
    FEE = "fee"
    DIVIDEND = "dividend"
    SPLIT = "split"
    CONVERSION = "conversion"
    ADJUSTMENT = "adjustment"
    REWARD = "reward"
    RENAME = "rename"
    SETTLEMENT = "settlement"
    ASSIGNMENT = "assignment"
    EXERCISE = "exercise"
    EXPIRY = "expiry"


class View(StrEnum):
    """Ways in which a side lists what it has of an asset."""

    POSITION = "position"
    BALANCE = "balance"
    BOTH = "both"


ANY_ASSET: Final = "*"
"""Name in a side's `keeps` for every asset that is not named itself."""


class Numbers(StrEnum):
    """Arithmetic of the source: exact decimals, or binary floats."""

    DECIMAL = "decimal"
    FLOAT = "float"


@dataclass(frozen=True, slots=True)
class Instrument:
    """Instrument of a symbol: `base` is bought and sold for `quote`.

    `multiplier` is the size of one unit of quantity: units of the base for a linear
    contract or an option, units of the quote for an inverse one. `settles_daily` says that
    the gain of an open position is cash at once, by the mark price or by movements of kind
    `settlement`. `arithmetic_average` and `float_notional` say that the source averages the
    entry prices of an inverse contract arithmetically, or multiplies quantity and price of what
    is paid for in binary floats before it rounds. `not_replayed` says why its fills cannot be
    replayed, where a recording shows that; it is empty where they can.
    """

    symbol: str
    instrument_kind: InstrumentKind
    base: str
    quote: str
    settlement: str
    multiplier: Decimal = Decimal(1)
    quantity_increment: Decimal | None = None
    not_replayed: str = ""
    settles_daily: bool = False
    arithmetic_average: bool = False
    float_notional: bool = False


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and the decimal places that a posting in it is rounded to."""

    code: str
    precision: int


@dataclass(frozen=True, slots=True)
class Position:
    """A position in one instrument: `quantity` in its units, negative when short.

    `average_price` is the source's own, `mark_price` the price that it values the position
    at, both in the quote currency. Raises `AmountError` where an amount is not exact.
    """

    symbol: str
    quantity: Decimal
    average_price: Decimal | None = None
    account: str | None = None
    leg: Leg = Leg.NET
    mark_price: Decimal | None = None

    def __post_init__(self) -> None:
        amounts = ("quantity", "average_price", "mark_price")
        _check_row(self, "position", self.symbol, amounts, leg=Leg)


@dataclass(frozen=True, slots=True)
class CashBalance:
    """A balance of one currency, in its units.

    The parts are given where the side distinguishes them: what is `free` and `locked`, what
    is borrowed (`debt`), what of the total has `settled`, and what open positions have
    gained and the total does not have (`unrealised`). Raises `AmountError` where an amount is
    not exact.
    """

    currency: str
    total: Decimal
    free: Decimal | None = None
    locked: Decimal | None = None
    account: str | None = None
    debt: Decimal | None = None
    settled: Decimal | None = None
    unrealised: Decimal | None = None

    def __post_init__(self) -> None:
        _check_row(self, "cash", self.currency, ("total", *BALANCE_PARTS))


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution: `quantity` in units of the instrument, `price` in the quote currency.

    `fee` is a cost in `fee_currency`; a negative fee is a rebate.

    A quantity of 0 is possible: engines report fills that they rounded to nothing and
    charged a fee for. `position_id` distinguishes positions of one symbol and leg that the
    source averages separately. Raises `AmountError` or `ReconError` for an amount that is
    not exact, a negative quantity, a fee without a currency or a naive time.
    """

    fill_id: str
    symbol: str
    side: OrderSide
    quantity: Decimal
    price: Decimal
    time: datetime
    fee: Decimal = ZERO
    fee_currency: str | None = None
    client_order_id: str | None = None
    exchange_order_id: str | None = None
    account: str | None = None
    leg: Leg = Leg.NET
    position_id: str | None = None

    def __post_init__(self) -> None:
        amounts = ("quantity", "price", "fee")
        _check_row(self, "fill", self.fill_id, amounts, side=OrderSide, leg=Leg)

    def require_sense(self) -> None:
        """Raise `ReconError` for a negative quantity, or a fee in no currency."""
        if self.quantity < 0:
            raise ReconError(f"quantity {self.quantity:f} is below 0; the side says SELL")
        if self.fee and self.fee_currency is None:
            raise ReconError(f"fee {self.fee:f} has no fee_currency")

    @property
    def charged_in(self) -> str:
        """The currency of the fee, empty for a fill that has neither."""
        return self.fee_currency or ""

    @property
    def order_id(self) -> str:
        """The order of the fill: the client's id, else the exchange's; empty if it names none."""
        return self.client_order_id or self.exchange_order_id or ""


@dataclass(frozen=True, slots=True)
class Order:
    """State of an order at `time`, identified by at least one of its ids.

    Quantities are in units of the instrument, prices in the quote currency.

    `average_fill_price` is what the source says that its fills cost on average, in the
    quote currency; it is kept and not compared. Raises `ReconError` for an order without an
    id, and `AmountError` for an amount that is not exact.
    """

    symbol: str
    side: OrderSide
    quantity: Decimal
    filled_quantity: Decimal
    state: OrderState
    time: datetime
    client_order_id: str | None = None
    exchange_order_id: str | None = None
    order_type: str | None = None
    price: Decimal | None = None
    account: str | None = None
    average_fill_price: Decimal | None = None

    def __post_init__(self) -> None:
        if self.order_id == "":
            raise ReconError("an order has neither client_order_id nor exchange_order_id")
        amounts = ("quantity", "filled_quantity", "price", "average_fill_price")
        _check_row(self, "order", self.order_id, amounts, side=OrderSide, state=OrderState)

    @property
    def order_id(self) -> str:
        """The identity of the order: the client's id, else the exchange's."""
        return self.client_order_id or self.exchange_order_id or ""


@dataclass(frozen=True, slots=True)
class Movement:
    """Cash (`amount` of `currency`) or quantity (of `symbol`) that moved without a fill.

    Both are signed by their effect on the account: a withdrawal is negative. `group` is the
    name that the rows of one event share, such as the two legs of a conversion. Raises
    `AmountError` where an amount is not exact.
    """

    movement_id: str
    movement_kind: MovementKind
    time: datetime
    currency: str | None = None
    amount: Decimal | None = None
    symbol: str | None = None
    quantity: Decimal | None = None
    account: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        amounts = ("amount", "quantity")
        _check_row(self, "movement", self.movement_id, amounts, movement_kind=MovementKind)

    @property
    def content(self) -> tuple[object, ...]:
        """The movement without its id, group and time: two with one content post the same."""
        return (
            self.movement_kind,
            self.currency,
            self.amount,
            self.symbol,
            self.quantity,
            self.account,
        )


@dataclass(frozen=True, slots=True)
class Opening:
    """The state of a side before its first fill; `as_of` is `None` where the source has no time."""

    as_of: datetime | None
    positions: tuple[Position, ...] = ()
    cash: tuple[CashBalance, ...] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a side at a time between its opening and `as_of` of the session.

    A section that is `None` is not reported; an empty one is empty.
    """

    as_of: datetime
    positions: tuple[Position, ...] | None = None
    cash: tuple[CashBalance, ...] | None = None


RowLocator = Callable[[str], Iterable[tuple[str, Path, int]]]
"""Finder of the rows of a section: yields the name of each, its file, and its line from 1.

The name is the id of a fill, an order or a movement, the symbol of a position or the currency of
a balance; it is `WHOLE_FILE` for the rows of a file that has no lines.
"""
WHOLE_FILE: Final = ""
_ACCOUNT = attrgetter("account")
BALANCE_PARTS: Final = ("free", "locked", "debt", "settled", "unrealised")
"""Fields of a balance beside its total."""
STATES: Final = ("positions", "cash")
SECTIONS: Final = (*STATES, "orders", "fills", "movements")


@dataclass(frozen=True)  # without slots: a cached property keeps its value
class SideRecord:
    """Statement of one side at `as_of`.

    `derived` names the sections that the side did not report and that were replayed from
    its opening and fills, `held` the assets whose replayed positions are what the account
    holds of them, and not what the fills of a symbol traded. `keeps` says by asset how the side
    lists it, where its rows do not show it. `miscounts` are counts and sums of the source that its
    own rows do not give, such as a number of trades. `notes` are findings for the reader that
    carry no severity, and `contradictions` those in which the source itself states two things
    that cannot both be. `gaps` are questions to the source that were not answered whole, with
    which a side is never complete. `origins` says for sections that were read from a source of
    their own, such as a table beside the session file, which one that was. `pending` lists
    movements that have happened and that the side, as its format is known to do, posts only later;
    the source does not state them, and a converted session does not have them. `values` says by
    fill id what a fill was worth, in the quote currency, where the source states that and no price.
    `locator` reads the files of a side in another format again to find the lines of its rows.
    `orders`, `fills` and `movements` are tuples, or the columns of large tables, which are
    sequences as well (`recon_core.model.row_table`).
    """

    as_of: datetime
    source: str | None = None
    numbers: Numbers = Numbers.DECIMAL
    complete: bool = True
    positions: tuple[Position, ...] | None = None
    cash: tuple[CashBalance, ...] | None = None
    orders: Sequence[Order] | None = None
    fills: Sequence[Fill] | None = None
    movements: Sequence[Movement] | None = None
    opening: Opening | None = None
    snapshots: tuple[Snapshot, ...] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    keeps: Mapping[str, View] = field(default_factory=dict)
    miscounts: tuple[str, ...] = ()
    contradictions: tuple[str, ...] = ()
    gaps: tuple[str, ...] = field(default=(), compare=False)
    derived: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    origins: Mapping[str, str] = field(default_factory=dict)
    pending: tuple[Movement, ...] = field(default=(), compare=False)
    values: Mapping[str, Decimal] = field(default_factory=dict, compare=False)
    locator: RowLocator | None = field(default=None, compare=False, repr=False)

    def rows(self, section: str) -> Sequence[object] | None:
        """The rows of a section by its name, one of `SECTIONS`."""
        rows: Sequence[object] | None = getattr(self, section)
        return rows

    @property
    def position_rows(self) -> tuple[Position, ...]:
        """The positions that the side lists, none without that section."""
        return self.positions or ()

    @property
    def cash_rows(self) -> tuple[CashBalance, ...]:
        """The balances that the side lists, none without that section."""
        return self.cash or ()

    @property
    def order_rows(self) -> Sequence[Order]:
        """The orders that the side lists, none without that section."""
        return self.orders or ()

    @property
    def fill_rows(self) -> Sequence[Fill]:
        """The fills that the side lists, none without that section."""
        return self.fills or ()

    @property
    def movement_rows(self) -> Sequence[Movement]:
        """The movements that the side lists, none without that section."""
        return self.movements or ()

    @property
    def snapshot_rows(self) -> tuple[Snapshot, ...]:
        """The snapshots that the side lists, none without that section."""
        return self.snapshots or ()

    def covers(self, section: str) -> bool:
        """True if the side reports a section, or its balances were replayed without one.

        A side that states its balances and no movements does not say that there are none.
        """
        return self.rows(section) is not None or "cash" in self.derived

    @cached_property
    def table(self) -> FillTable:
        """The fills for questions about all of them, none without that section."""
        return table_of(self.fills)

    @cached_property
    def accounts(self) -> frozenset[str | None]:
        """Every account that a row of this side names; `None` for the unnamed one."""
        opening = self.opening or Opening(None)
        states = *self.position_rows, *self.cash_rows, *opening.positions, *opening.cash
        tables = order_table_of(self.orders), self.table, movement_table_of(self.movements)
        return frozenset(map(_ACCOUNT, states)).union(*(one.distinct("account") for one in tables))

    def only_account(self) -> str | None:
        """The one account that rows of this side name, `None` where there are more or none."""
        named = self.accounts - {None}
        return next(iter(named)) if len(named) == 1 else None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file that was read, and the SHA-256 of the bytes that were read."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True, weakref_slot=True)
class RecordedSession:
    """One recorded run of a strategy: both sides at one time.

    `anchor` is the file that represents the recording in node ids; `mirrored` says that the
    external side is a copy of the internal one (the runbook's mock).
    """

    session_id: str
    anchor: Path
    strategy_id: str = ""
    mode: SessionMode | None = None
    recording_format: str = "recon.session/1"
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    currencies: Mapping[str, Currency] = field(default_factory=dict)
    internal: SideRecord | None = None
    external: SideRecord | None = None
    mirrored: bool = False
    inputs: tuple[InputFile, ...] = ()
    notes: tuple[str, ...] = ()

    def side(self, side: LedgerSide) -> SideRecord | None:
        """The record of one side, `None` where the session has none."""
        return self.internal if side is LedgerSide.INTERNAL else self.external

    def shares(self, section: str) -> bool:
        """True if both sides have a section from one source: comparing it proves nothing."""
        if self.internal is None or self.external is None:
            return False
        internal, external = self.internal, self.external
        rows, origin = internal.rows(section), internal.origins.get(section)
        if section in internal.derived and section in external.derived:
            return self.shares("fills")
        if section not in STATES and rows and rows is external.rows(section):
            return True
        return origin is not None and origin == external.origins.get(section)

    def own_records(self) -> dict[LedgerSide, SideRecord]:
        """The sides that speak for themselves: all that are given, but no mirror."""
        records = {LedgerSide.INTERNAL: self.internal, LedgerSide.EXTERNAL: self.external}
        if self.mirrored:
            del records[LedgerSide.EXTERNAL]
        return {side: record for side, record in records.items() if record is not None}


def _check_row(
    row: Any, noun: str, name: str, amounts: tuple[str, ...], **choices: type[StrEnum]
) -> None:
    """Make the values of a row exact and typed; an error names the row and the field."""
    digits = MOST_STATE_DIGITS if isinstance(row, Position | CashBalance) else MOST_DIGITS
    try:
        _require_whole_characters(name)
        for field_name, members in choices.items():
            _normalise(row, field_name, members)
        for field_name in amounts:
            value = getattr(row, field_name)
            if value is not None:
                object.__setattr__(row, field_name, require_amount(value, field_name, digits))
        if hasattr(row, "time"):
            object.__setattr__(row, "time", require_time(row.time, "time"))
        if isinstance(row, Fill):
            row.require_sense()
    except ReconError as error:
        raise type(error)(f"{noun} {printable(name, 60)}: {error}") from None


def _require_whole_characters(name: str) -> None:
    """Refuse half a surrogate pair: no other process and no file could take it."""
    if not isinstance(name, str):
        raise ReconError(f"the name is {quoted(name)}; expected text")
    if not name.isascii() and any("\ud800" <= character <= "\udfff" for character in name):
        raise ReconError("the name holds a lone surrogate; expected whole characters")


def _normalise(row: object, name: str, choices: type[StrEnum]) -> None:
    """Turn a plain string into the member of the enumeration, or say what is accepted."""
    value = getattr(row, name)
    if type(value) is choices:
        return
    try:
        object.__setattr__(row, name, choices(value))
    except ValueError:
        accepted = ", ".join(choices)
        shown = quoted(value)
        raise ReconError(f"{name} {shown}; expected one of {accepted}") from None
