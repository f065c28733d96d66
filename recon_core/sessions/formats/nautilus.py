"""A directory of nautilus_trader's own reports as a recorded session.

The internal side is `fills.csv` on the configured opening of `meta.json`: the
account report's first rows can already lack the first fill's commission. The
external side is what the engine reported: the last account row of each currency,
and the signed sum of the positions report without its snapshot rows. Both sides
share one time, the latest in the recording (design, "Foreign recordings").
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

from recon_core.amounts import EXACT, ZERO, decimal_places, parse_amount
from recon_core.errors import ReconError, SessionError
from recon_core.hookspecs import hookimpl
from recon_core.model import (
    CashBalance,
    Currency,
    Fill,
    InputFile,
    Instrument,
    InstrumentKind,
    Opening,
    OrderSide,
    Position,
    RecordedSession,
    SideRecord,
)
from recon_core.printable import printable, quoted
from recon_core.sessions.files import inside, read_text_file
from recon_core.sessions.formats.limits import limits_note
from recon_core.sessions.json_text import parse_json
from recon_core.sessions.tables import csv_rows
from recon_core.times import parse_time

FORMAT: Final = "nautilus"
ANCHOR: Final = "meta.json"
CANNOT_KNOW: Final = (
    "movements of cash without a fill, such as interest and deposits",
    "the time of the reports (the latest time in them stands for it)",
    "positions of an account apart from the sum of their rows",
)
"""What the reports of this format do not tell."""

_ENGINE: Final = "nautilus_trader"
_MONEY = re.compile(r"(\S+) (\S+)")
_DIRECTIONS: Final = {"LONG": Decimal(1), "SHORT": Decimal(-1), "FLAT": Decimal(0)}

_Value = TypeVar("_Value")
_Row = dict[str, str]


@hookimpl
def recon_anchor(path: Path) -> Path | None:
    """`meta.json` of the recording at `path`: its directory, or the file itself."""
    directory = path.parent if path.name == ANCHOR else path
    return directory / ANCHOR if directory.is_dir() and _is_recording(directory) else None


@hookimpl
def recon_read_session(path: Path) -> RecordedSession | None:
    """Read the recording at `path`, or `None` where it is none of nautilus_trader."""
    anchor = recon_anchor(path)
    return None if anchor is None else _Recording(anchor.parent).read()


def _is_recording(directory: Path) -> bool:
    """Recognise a recording by its files, a damaged one too: it must not go unseen."""
    names = {entry.name for entry in directory.iterdir()}
    accounts = any(name.startswith("account_") and name.endswith(".csv") for name in names)
    if ANCHOR not in names:
        return accounts and "instruments.json" in names
    try:
        content = read_text_file(directory / ANCHOR)
        return bool(_engine(parse_json(content.text, content.name, constants=True)) == _ENGINE)
    except SessionError:
        return accounts or "fills.csv" in names


def _engine(meta: Any) -> Any:
    return meta.get("engine") if isinstance(meta, dict) else None


@dataclass(slots=True)
class _Recording:
    """Reads the files of one directory and collects what was read on the way."""

    directory: Path
    inputs: list[InputFile] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)

    def read(self) -> RecordedSession:
        meta = self._json(ANCHOR)
        if _engine(meta) != _ENGINE:
            raise SessionError(f"{ANCHOR}: engine; expected {_ENGINE!r}")
        venues = _Meta(meta).opening_balances()
        accounts = {venue: self._account(venue) for venue in venues}
        opening = [
            balance
            for venue, money in venues.items()
            for balance in _opening(money, accounts[venue])
        ]
        rows = self._fill_rows()
        fills = tuple(_each(rows, "fills.csv", self._fill))
        positions, cash = self._positions(), self._last_balances(accounts.values())
        as_of = max(self.times)
        return RecordedSession(
            session_id=_Meta(meta).session() or self.directory.resolve().name,
            anchor=self.directory / ANCHOR,
            strategy_id=",".join(sorted({row.get("strategy_id", "") for row in rows})),
            recording_format=FORMAT,
            instruments=self._instruments(accounts),
            currencies=_precisions(accounts.values(), opening),
            internal=SideRecord(
                as_of=as_of,
                source="nautilus_trader fills",
                fills=fills,
                opening=Opening(None, cash=tuple(opening)),
            ),
            external=SideRecord(
                as_of=as_of, source="nautilus_trader reports", positions=positions, cash=cash
            ),
            inputs=tuple(self.inputs),
            notes=(limits_note(FORMAT, CANNOT_KNOW),),
        )

    def _text(self, name: str) -> Any:
        content = read_text_file(inside(self.directory, name))
        self.inputs.append(content.evidence)
        return content

    def _json(self, name: str) -> Any:
        content = self._text(name)
        return parse_json(content.text, content.name, constants=True)

    def _exists(self, name: str) -> bool:
        return (self.directory / name).exists()

    def _account(self, venue: str) -> list[_Row]:
        name = f"account_{venue}.csv"
        rows = csv_rows(self._text(name))
        if not rows:
            raise SessionError(f"{printable(name)}: has no rows; expected the opening at least")
        self.times += _each(rows, name, lambda row: parse_time(_cell(row, "")))
        return rows

    def _last_balances(self, accounts: Iterable[list[_Row]]) -> tuple[CashBalance, ...]:
        """The last row of each account and currency counts; several share one time."""
        balances: dict[tuple[str | None, str], CashBalance] = {}
        for rows in accounts:
            for balance in _each(rows, "account report", _balance):
                balances[(balance.account, balance.currency)] = balance
        return tuple(balances.values())

    def _fill_rows(self) -> list[_Row]:
        if self._exists("fills.csv"):
            return csv_rows(self._text("fills.csv"))
        # The engine returns an empty frame where nothing was filled; the orders
        # report is the evidence that this is so.
        if self._exists("orders.csv"):
            orders = csv_rows(self._text("orders.csv"))
            filled = _each(orders, "orders.csv", lambda row: _amount(row, "filled_qty"))
            if not any(filled):
                return []
        raise SessionError("fills.csv: is missing; expected the fills report of the engine")

    def _fill(self, row: _Row) -> Fill:
        time = parse_time(_cell(row, "ts_event"))
        self.times.append(time)
        fee, currency = _money(_cell(row, "commission"), "commission")
        return Fill(
            fill_id=_cell(row, "trade_id"),
            symbol=_cell(row, "instrument_id"),
            side=OrderSide(_cell(row, "order_side")),
            quantity=_amount(row, "last_qty"),
            price=_amount(row, "last_px"),
            time=time,
            fee=fee,
            fee_currency=currency,
            client_order_id=row.get("client_order_id") or None,
            exchange_order_id=row.get("venue_order_id") or None,
            account=_cell(row, "account_id"),
        )

    def _positions(self) -> tuple[Position, ...] | None:
        """The signed sum per instrument; `None` where the engine left no report."""
        if self._exists("positions.csv"):
            rows = csv_rows(self._text("positions.csv"))
        elif self._exists("positions.json") and self._json("positions.json") == []:
            return ()
        else:
            return None
        sums: dict[tuple[str, str], Decimal] = {}
        current = [row for row in rows if _cell(row, "is_snapshot") != "True"]
        for key, quantity in _each(current, "positions.csv", _signed_position):
            sums[key] = EXACT.add(sums.get(key, ZERO), quantity)
        return tuple(
            Position(symbol, quantity, account=account)
            for (account, symbol), quantity in sums.items()
        )

    def _instruments(self, accounts: dict[str, list[_Row]]) -> dict[str, Instrument]:
        tables = self._json("instruments.json")
        if not isinstance(tables, list):
            raise SessionError("instruments.json: expected a list of instruments")
        cash_venues = {
            venue
            for venue, rows in accounts.items()
            if all(row.get("account_type") == "CASH" for row in rows)
        }
        return {
            instrument.symbol: instrument
            for instrument in _each(
                tables, "instruments.json", lambda table: _instrument(table, cash_venues)
            )
        }


@dataclass(frozen=True, slots=True)
class _Meta:
    """What `meta.json` says; unknown keys are the engine's own business."""

    table: dict[str, Any]

    def session(self) -> str | None:
        name = self.table.get("session")
        return name if isinstance(name, str) and name else None

    def opening_balances(self) -> dict[str, list[str]]:
        """The configured opening of each venue: `{"BINANCE": ["1.00000000 BTC"]}`."""
        venues = self.table.get("configured_starting_balances")
        if not isinstance(venues, dict) or not venues or not all(map(_is_texts, venues.values())):
            raise SessionError(
                f"{ANCHOR}: configured_starting_balances: is missing or no lists of text; expected "
                'the configured opening, like {"BINANCE": ["100000.00000000 USDT"]}'
            )
        return venues


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _opening(money: list[str], rows: list[_Row]) -> list[CashBalance]:
    account = next((row["account_id"] for row in rows if row.get("account_id")), None)
    try:
        parsed = [_money(text, "configured_starting_balances") for text in money]
    except ReconError as error:
        raise SessionError(f"{ANCHOR}: {error}") from None
    return [CashBalance(currency, amount, account=account) for amount, currency in parsed]


def _precisions(
    accounts: Iterable[list[_Row]], opening: Iterable[CashBalance]
) -> dict[str, Currency]:
    """The decimals that the balances are printed with: what the engine rounds to."""
    stated = [(row["currency"], parse_amount(row["total"])) for rows in accounts for row in rows]
    stated += [(balance.currency, balance.total) for balance in opening]
    places: dict[str, int] = {}
    for code, amount in stated:
        places[code] = max(places.get(code, 0), decimal_places(amount))
    return {code: Currency(code, precision) for code, precision in places.items()}


def _instrument(table: Any, cash_venues: set[str]) -> Instrument:
    symbol = _key(table, "id")
    quote = table.get("quote_currency") or table.get("currency") or ""
    multiplier = table.get("multiplier")
    return Instrument(
        symbol=symbol,
        instrument_kind=_instrument_kind(table, symbol, cash_venues),
        base=table.get("base_currency") or "",
        quote=quote,
        settlement=table.get("settlement_currency") or quote,
        multiplier=parse_amount(multiplier) if isinstance(multiplier, str) else Decimal(1),
    )


def _instrument_kind(table: Any, symbol: str, cash_venues: set[str]) -> InstrumentKind:
    """Spot is a currency pair on a cash account; on margin it moves like a linear one."""
    venue = symbol.rpartition(".")[2]
    if table.get("type") == "CurrencyPair" and venue in cash_venues:
        return InstrumentKind.SPOT
    return InstrumentKind.INVERSE if table.get("is_inverse") is True else InstrumentKind.LINEAR


def _balance(row: _Row) -> CashBalance:
    return CashBalance(
        currency=_cell(row, "currency"),
        total=_amount(row, "total"),
        free=_amount(row, "free"),
        locked=_amount(row, "locked"),
        account=_cell(row, "account_id"),
    )


def _signed_position(row: _Row) -> tuple[tuple[str, str], Decimal]:
    side = _cell(row, "side")
    if side not in _DIRECTIONS:
        raise SessionError(f"side: {quoted(side)}; expected LONG, SHORT or FLAT")
    key = (_cell(row, "account_id"), _cell(row, "instrument_id"))
    return key, EXACT.multiply(_DIRECTIONS[side], _amount(row, "quantity"))


def _money(text: str, name: str) -> tuple[Decimal, str]:
    """`5.73778753 USDT` as amount and currency."""
    match = _MONEY.fullmatch(text)
    if match is None:
        shown = quoted(text)
        raise SessionError(f"{name}: {shown}; expected an amount and a currency")
    return parse_amount(match[1]), match[2]


def _amount(row: _Row, name: str) -> Decimal:
    try:
        return parse_amount(_cell(row, name))
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def _cell(row: _Row, name: str) -> str:
    value = row.get(name)
    if value is None or value == "":
        raise SessionError(f"{name or 'time'}: is missing or empty")
    return value


def _key(table: Any, name: str) -> str:
    value = table.get(name) if isinstance(table, dict) else None
    if not isinstance(value, str) or not value:
        raise SessionError(f"{name}: is missing; expected text")
    return value


def _each(rows: Iterable[Any], name: str, convert: Callable[[Any], _Value]) -> list[_Value]:
    """Convert every row; an error names the file and the row."""
    values = []
    for number, row in enumerate(rows, 1):
        try:
            values.append(convert(row))
        except (ReconError, ValueError) as error:
            raise SessionError(f"{printable(name)}: row {number}: {error}") from None
    return values
