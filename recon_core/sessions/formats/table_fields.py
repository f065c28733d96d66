"""The fields of one row of a section, in the words of the session format.

Fills may be given by what was paid and received instead of a side and a price, and by their
value instead of a price: paid EUR 400 and received BTC 0.0045 is a BUY of 0.0045 BTC/EUR.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from recon_core.sessions.formats.table_amounts import shortest_price
from recon_core.sessions.formats.table_cells import Cells, Reader, Words, reader
from recon_core.sessions.formats.table_rows import WIDE_NAME, WIDE_VALUE
from recon_core.sessions.formats.table_schema import ROW_TYPES, FieldMapping, TableMapping
from recon_core.values.amounts import exact_sum, format_amount, parse_amount
from recon_core.values.errors import SessionError
from recon_core.values.printable import quoted
from recon_core.values.suggestions import did_you_mean

Fields = dict[str, Any]

LEG_FIELDS: Final = ("paid", "paid_currency", "received", "received_currency")
"""Fields of a fill that say both of its legs."""
_EXTRA: Final[Mapping[str, tuple[str, ...]]] = {"fills": ("value", *LEG_FIELDS)}
_HAS_SIDE: Final = frozenset({"fills", "orders"})
_UNSIGNED: Final = frozenset({"quantity", "filled_quantity"})
_NO_TIME: Final = frozenset({"positions", "cash"})


@dataclass(frozen=True, slots=True)
class Fee:
    """One fee of a row: a cost in its currency, negative for a rebate."""

    amount: str
    currency: str


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one table of one section into the fields of the session format."""

    section: str
    constants: Mapping[str, str]
    readers: Mapping[str, Reader]
    fee_readers: Sequence[tuple[Reader, Reader]]
    quotes: Sequence[str]

    @classmethod
    def of(
        cls, section: str, table: TableMapping, words: Words, quotes: Sequence[str] = ()
    ) -> "RowReader":
        """Return the reader of a table; raises `SessionError` for a field that is none."""
        mapped = dict(table.columns)
        if table.wide is not None:
            mapped |= {
                table.wide.name: FieldMapping(column=[WIDE_NAME]),
                table.wide.value: FieldMapping(column=[WIDE_VALUE]),
            }
        _require_fields(section, mapped.keys(), table.constants)
        fees = [
            (reader("fee", fee.amount, words), reader("fee_currency", fee.currency, words))
            for fee in table.fees
        ]
        return cls(
            section=section,
            constants={name: words.constant(name, word) for name, word in table.constants.items()},
            readers={name: reader(name, one, words) for name, one in mapped.items()},
            fee_readers=fees,
            quotes=quotes,
        )

    def fields(self, row: Cells) -> tuple[Fields, list[Fee]]:
        """Return the fields of one row as text, and its fees; raises `SessionError`.

        A row of a section with sides that has no column for it has the side that the sign of
        its quantity says; its quantities are taken without their sign, which must not
        contradict its side. A fill keeps its `value` where its price was derived from that.
        """
        fields: Fields = dict(self.constants)
        for name, read in self.readers.items():
            value = read(row)
            if value is not None:
                fields[name] = value
        if self.section == "fills":
            self._complete_fill(fields)
        if self.section in _HAS_SIDE and "quantity" in fields:
            _unsign(fields)
        return fields, list(self._fees(row))

    def _fees(self, row: Cells) -> Iterator[Fee]:
        amounts: dict[str, list[str]] = {}
        for read_amount, read_currency in self.fee_readers:
            amount = read_amount(row)
            if amount is not None and parse_amount(amount):
                currency = read_currency(row)
                if currency is None:
                    raise SessionError(f"fee {amount} has no currency")
                amounts.setdefault(currency, []).append(amount)
        for currency, found in amounts.items():
            total = exact_sum(map(parse_amount, found))
            if total:
                yield Fee(format_amount(total), currency)

    def _complete_fill(self, fields: Fields) -> None:
        if any(name in fields for name in LEG_FIELDS):
            _from_legs(fields, self.quotes)
        if "price" in fields:
            fields.pop("value", None)
        elif "value" in fields:
            if "quantity" not in fields:
                raise SessionError("a value is no price without a quantity")
            quantity = parse_amount(fields["quantity"]).copy_abs()
            price = shortest_price(parse_amount(fields["value"]).copy_abs(), quantity)
            fields["price"] = format_amount(price)


def _require_fields(section: str, columns: Any, constants: Mapping[str, str]) -> None:
    known = [*ROW_TYPES[section].model_fields, *_EXTRA.get(section, ())]
    if section in _NO_TIME:
        known.append("time")
    for name in (*columns, *constants):
        if name not in known:
            raise SessionError(f"{quoted(name)} is no field; {did_you_mean(name, known, 30)}")
    for name in columns:
        if name in constants:
            raise SessionError(f"{quoted(name)} has a column and a constant")


def _from_legs(fields: Fields, quotes: Sequence[str]) -> None:
    """Replace what was paid and received by symbol, side, quantity and value."""
    missing = [name for name in LEG_FIELDS if name not in fields]
    if missing:
        raise SessionError(f"{missing[0]}: is missing; expected both legs of the fill")
    paid, paid_in, received, received_in = (fields.pop(name) for name in LEG_FIELDS)
    quote = next((one for one in quotes if one in (paid_in, received_in)), None)
    if quote is None or paid_in == received_in:
        shown = f"{quoted(paid_in)} for {quoted(received_in)}"
        raise SessionError(f"{shown}: no currency is the quote; expected one of them in quotes")
    is_buy = quote == paid_in
    fields["side"] = "BUY" if is_buy else "SELL"
    fields["symbol"] = f"{received_in if is_buy else paid_in}/{quote}"
    fields["quantity"] = (received if is_buy else paid).removeprefix("-")
    fields["value"] = (paid if is_buy else received).removeprefix("-")


def _unsign(fields: Fields) -> None:
    is_sold = fields["quantity"].startswith("-")
    if fields.setdefault("side", "SELL" if is_sold else "BUY") == "BUY" and is_sold:
        raise SessionError(f"quantity {fields['quantity']} is sold, and the side is BUY")
    for name in _UNSIGNED & fields.keys():
        fields[name] = fields[name].removeprefix("-")


def fee_movement(fields: Mapping[str, Any], fee: Fee, movement_id: str) -> Fields:
    """Return the fields of the movement that a further fee of a row is."""
    amount = parse_amount(fee.amount).copy_negate()
    kept = {name: fields[name] for name in ("time", "account", "group") if name in fields}
    return {
        **kept,
        "movement_id": f"{movement_id} fee {fee.currency}",
        "kind": "fee",
        "currency": fee.currency,
        "amount": format_amount(amount),
    }
