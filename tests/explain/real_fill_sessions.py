"""What is said of the situations that users reported: fills, fees and orders."""

from dataclasses import replace
from decimal import Decimal

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import Order, OrderSide
from tests.core.builders import at, order, side
from tests.core.real_rows import O1, buy, sell
from tests.explain.real_sessions import (
    Caused,
    Told,
    books,
    case,
    coins,
    linear,
    moved,
    session,
    silent,
    told_by_both,
    told_by_the_ledger,
)

ADA = linear("ADAUSDT", "USDT")


def _fee_not_taken_off(symbol: str, quantity: str, fee: str) -> Reconciliation:
    base, quote = symbol.split("/")
    row, opening = buy("1", quantity, fee=f"{fee} {base}", symbol=symbol), {quote: "10"}
    left = str(10 - Decimal(quantity))
    kept = books(row, opening=opening, **_state({symbol: quantity}, {quote: left, base: quantity}))
    return session(kept, silent(books(row, opening=opening)))


def _state(positions: dict[str, str], cash: dict[str, str]) -> dict[str, object]:
    stated = side(positions, cash)
    return {"positions": stated.positions, "cash": stated.cash}


def _bnb_ran_out() -> Reconciliation:
    first = buy("1", "5", fee="0.0021485 BNB", symbol="PIVX/BTC", **O1)
    second = buy("2", "11734", fee="11.734 PIVX", symbol="PIVX/BTC", **O1)
    opening = {"BTC": "20000", "BNB": "0.0021485"}
    ledger = books(first, replace(second, fee_currency="BNB"), opening=opening)
    return session(ledger, silent(books(first, second, opening=opening)))


def _rebate() -> Reconciliation:
    row = buy("1", "32824.7195", fee="-8.20617985 USDT", symbol="BTC/USDT")
    opening = {"USDT": "40000"}
    ledger = books(replace(row, fee=-row.fee), opening=opening)
    return session(ledger, silent(books(row, opening=opening)))


def _funding_as_fill() -> Reconciliation:
    fee = "-0.00005586 USDT"
    held = buy("1", "932", "0.01565", "0 USDT", symbol="ADAUSDT", time=at(-60))
    row = buy("f1", "932", "0.01565", fee, symbol="ADAUSDT")
    opening = {"USDT": "100"}
    paid = moved("f1", "funding", "0.00005586 USDT")
    return session(books(held, row, opening=opening), books(held, paid, opening=opening), ADA)


def _sold_all_but(*, with_rows: bool) -> Reconciliation:
    bought = buy("1", "1.0", symbol="LTC/EUR", time=at(-60))
    sold = sell("2", "0.99999998", symbol="LTC/EUR")
    truth = books(bought, sold)
    ledger = books(bought, replace(sold, quantity=Decimal("1.0")))
    return session(ledger, truth if with_rows else silent(truth))


def _filled_less(ordered: str, filled: str, state: str, side: OrderSide) -> Reconciliation:
    make = buy if side is OrderSide.BUY else sell
    row = make("1", ordered, **O1)
    told = order("o1", ordered, filled, state, side=side)
    truth = books(replace(row, quantity=Decimal(filled)))
    return session(books(row), silent(truth, orders=(told,)))


def _liquidation(*, by_orders: bool, price: str | None = "165.79") -> Reconciliation:
    bought = buy("1", "314", "165.79", symbol="SPY/USD", client_order_id="o1", time=at(-60))
    sold = sell("liq", "231", "165.79", symbol="SPY/USD")
    opening = {"USD": str(Decimal("-51991.757979") + 314 * Decimal("165.79"))}
    state = _state({"SPY/USD": "83"}, {"USD": "-13696.2576", "SPY": "83"})
    told = order("liq", "231", "231", side=OrderSide.SELL, symbol="SPY/USD")
    average = None if price is None else Decimal(price)
    orders = (
        order("o1", "314", "314", symbol="SPY/USD"),
        replace(told, average_fill_price=average),
    )
    broker = (
        side(**state, orders=orders) if by_orders else books(bought, sold, opening=opening, **state)
    )
    return session(books(bought, opening=opening), broker)


def _orders_without_fills(number: int, delivered: int) -> Reconciliation:
    row = case(number)
    orders = [one for one in row.external if isinstance(one, Order)]
    fills = [buy(f"f{at}", "1", client_order_id=one.order_id) for at, one in enumerate(orders)]
    told = tuple(replace(one, average_fill_price=Decimal(1)) for one in orders)
    return session(books(*row.internal, *fills[:delivered]), silent(books(*fills), orders=told))


def _filled_without_a_fill() -> Reconciliation:
    aapl = order("o1", "10", "10", symbol="AAPL/USD", average_fill_price=Decimal(1))
    truth = books(buy("1", "10", symbol="AAPL/USD", **O1), opening={"USD": "100"})
    return session(books(aapl, opening={"USD": "100"}), silent(truth, orders=(aapl,)))


def _both_paths() -> Reconciliation:
    stream = sell("ws", "1", time=at(-1), **O1)
    direct = replace(stream, fill_id="direct")
    twice = order("o1", "1", "2", side=OrderSide.SELL)
    once = replace(twice, filled_quantity=Decimal(1))
    return session(books(stream, once), books(stream, direct, twice))


def _flip_redelivered() -> Reconciliation:
    return told_by_the_ledger(66, held={"BTC/EUR": "1.000"}, opening={"EUR": "9", "BTC": "1"})


def _exchange_local() -> Reconciliation:
    rows = [buy(str(number), "1", time=at(-7200 + 60 * number)) for number in range(3)]
    local = [replace(row, time=at(-7200 - 4 * 3600 + 60 * at_)) for at_, row in enumerate(rows)]
    return session(books(*local), books(*rows))


def _missing(count: int) -> tuple[Caused, ...]:
    return (Caused("missing_fill", (), coins("BTC/EUR", "-1", "1")),) * count


IN, OUT, NEITHER = "internal", "external", None
FILL_ROWS = [
    Told("1 a fee in the base coin", lambda: _fee_not_taken_off("BTC/EUR", "2.54", "0.00254"),
         "unique", IN, (Caused("missing_fee", ("1",), {"position::BTC/EUR": "0.00254",
                                                       "cash::BTC": "0.00254"}),),
         "not booked the fee of fill 1"),
    Told("3 two coins less the fee", lambda: _fee_not_taken_off("WTC/BTC", "2", "0.002"),
         "unique", IN, (Caused("missing_fee", ("1",), {"position::WTC/BTC": "0.002",
                                                       "cash::WTC": "0.002"}),),
         "fee 0.002 WTC"),
    Told("6 the commission applied to the quantity",
         lambda: told_by_both(6, opening={"EUR": "20000000", "USD": "10"}),
         "unique", IN, (Caused("wrong_quantity", ("1",), coins("BTC/EUR", "-2", "220")),),
         "99998 against 100000 (off by its fee)"),
    Told("7 BNB ran out within an order", _bnb_ran_out, "unique", IN,
         (Caused("fee_currency", ("2",), {"position::PIVX/BTC": "11.734", "cash::PIVX": "11.734",
                                          "cash::BNB": "-11.734"}),),
         "the fee of fill 2 of order o1"),
    Told("9 a rebate as a fee", _rebate, "unique", IN,
         (Caused("fee_sign", ("1",), {"cash::USDT": "-16.4123597"}),), "with the wrong sign"),
    Told("12 a funding row among the trades", _funding_as_fill, "unique", IN,
         (Caused("orphan_fill", ("f1",), {"position::ADAUSDT": "932", "cash::USDT": "0.00005586"}),
          Caused("missing_movement", ("f1",), {"cash::USDT": "-0.00005586"})),
         "has not booked funding f1 (0.00005586 USDT"),
    Told("13 0.99999998 of 1.0 sold", lambda: _sold_all_but(with_rows=True), "unique", IN,
         (Caused("rounding", ("2",), coins("LTC/EUR", "-0.00000002", "0.00000002")),),
         "quantity 0.99999998 to 0 decimals"),
    Told("13 its balances alone: which of the fills, no row shows",
         lambda: _sold_all_but(with_rows=False), "ambiguous", IN,
         (*(Caused("wrong_quantity", (one,), coins("LTC/EUR", "-0.00000002", "0.00000002"))
            for one in ("1", "2")),
          Caused("missing_fill", (), coins("LTC/EUR", "-0.00000002", "0.00000002"))),
         "3 explanations fit", "the fills of the external side"),
    Told("21 a short of 1.17 closed by 1.15",
         lambda: _filled_less("1.17", "1.15", "CANCELLED", OrderSide.BUY), "unique", IN,
         (Caused("wrong_quantity", ("1",), coins("BTC/EUR", "0.02", "-0.02")),),
         "1.17 against 1.15"),
    Told("27 the ordered quantity kept",
         lambda: _filled_less("235.17", "234.93", "CANCELLED", OrderSide.BUY), "unique", IN,
         (Caused("wrong_quantity", ("1",), coins("BTC/EUR", "0.24", "-0.24")),),
         "235.17 against 234.93"),
    Told("33 fills before the look-back", lambda: told_by_both(33), "unique", IN,
         (Caused("missing_fill", ("1",), coins("BTC/EUR", "140", "-140")),),
         "lacks a fill: SELL 140"),
    Told("40 one execution under two ids", lambda: told_by_the_ledger(40), "unique", IN,
         (Caused("duplicate_fill", ("1", "2"), coins("BTC/EUR", "1", "-1")),),
         "one of 2 equal fills"),
    Told("46 a liquidation, by its fill", lambda: _liquidation(by_orders=False), "partial", IN,
         (Caused("missing_fill", ("liq",), coins("SPY/USD", "231", "-38297.49")),),
         "USD +1.989621 remains, consistent with the fee", "the fee of what is missing"),
    Told("46 a liquidation, by its order", lambda: _liquidation(by_orders=True), "partial", IN,
         (Caused("missing_fill", (), coins("SPY/USD", "231", "-38297.49")),),
         "USD +1.989621 remains, consistent with the fee", "the fee of what is missing"),
    Told("46 a liquidation without a price", lambda: _liquidation(by_orders=True, price=None),
         "unexplained", NEITHER, (), "USD -38295.500379", "the fills and movements"),
    Told("48 4 of 18 orders delivered", lambda: _orders_without_fills(48, 4), "unique", IN,
         _missing(14), "order o04 lacks it"),
    Told("49 FILLED without a fill", _filled_without_a_fill, "unique", IN,
         (Caused("missing_fill", (), coins("AAPL/USD", "-10", "10")),), "order o1 lacks it"),
    Told("51 requested 87, available 48",
         lambda: _filled_less("87", "48", "PARTIALLY_FILLED", OrderSide.BUY), "unique", IN,
         (Caused("wrong_quantity", ("1",), coins("BTC/EUR", "39", "-39")),), "87 against 48"),
    Told("60 79 shares that no fill explains",
         lambda: session(books(buy("1", "80", "580.7675", symbol="SPY/USD"),
                               opening={"USD": "46807.98"}), side({"SPY/USD": "159"})),
         "ambiguous", IN,
         (Caused("wrong_quantity", ("1",), coins("SPY/USD", "-79", "45880.6325")),
          Caused("missing_fill", (), coins("SPY/USD", "-79", "45880.6325"))),
         "2 explanations fit", "the cash USD of the external side"),
    Told("61 two strategies, one wallet",
         lambda: session(books(buy("a", "0.460", symbol="ETH/USD", position_id="a"),
                               buy("b", "0.212", symbol="ETH/USD", position_id="b"),
                               opening={"USD": "9"}), side({"ETH/USD": "0.315"})),
         "ambiguous", IN,
         (Caused("wrong_quantity", ("a",), coins("ETH/USD", "0.357", "-0.357")),),
         "an explanation fits, but is not proven", "the cash USD of the external side"),
    Told("63 booked again after a restart", lambda: told_by_the_ledger(63), "unique", IN,
         (Caused("duplicate_fill", ("1",), coins("BTC/EUR", "0.1", "-68.548")),),
         "has booked fill 1 of order o1"),
    Told("64 both paths execute", _both_paths, "unique", IN,
         (Caused("missing_fill", ("direct",), coins("BTC/EUR", "1", "-1")),),
         "SELL 1 BTC/EUR at 1; order o1 lacks it"),
    Told("66 a flip in two parts, redelivered whole", _flip_redelivered, "unique", IN,
         (Caused("duplicate_fill", ("7",), coins("BTC/EUR", "-1.5", "1.5")),),
         "it is 7-C and 7-O together"),
    Told("67 cancelled by an error code, and filled", lambda: _orders_without_fills(67, 0),
         "unique", IN, _missing(15), "order o14 lacks it"),
    Told("69 a source that rounds to whole shares", lambda: told_by_the_ledger(69), "unique", OUT,
         (Caused("rounding", (), coins("BTC/EUR", "0.32", "-0.32")),), "to 0 decimals"),
    Told("69 the same in its fills", lambda: told_by_both(69), "unique", OUT,
         (Caused("rounding", ("1",), coins("BTC/EUR", "0.32", "-0.32")),),
         "quantity 57.68 to 0 decimals"),
    Told("70 24, then 124 at a price of 0", lambda: told_by_both(70), "unique", IN,
         (Caused("cumulative_quantity", ("1", "2"), coins("BTC/EUR", "24", "11959.00")),),
         "cumulative quantities as increments"),
    Told("72 a connector that misses fills", lambda: told_by_both(72), "unique", IN,
         (Caused("missing_fill", ("2",), coins("BTC/EUR", "-3", "3")),), "lacks a fill: BUY 3"),
    Told("72 its balances alone", lambda: told_by_the_ledger(72), "ambiguous", IN,
         (Caused("wrong_quantity", ("1",), coins("BTC/EUR", "-3", "3")),
          Caused("missing_fill", (), coins("BTC/EUR", "-3", "3"))),
         "2 explanations fit", "the fills of the external side"),
    Told("75 a price stored with 6 decimals", lambda: told_by_both(75), "unique", IN,
         (Caused("rounding", ("1",), {"cash::EUR": "0.00023"}),),
         "price 0.00000423 to 6 decimals"),
    Told("84 local time read as UTC", _exchange_local, "unique", IN,
         (Caused("as_of_shift", ("0", "1", "2"), {}),), "all times are off by -4 h"),
    Told("94 the id of every trade is the order's", lambda: told_by_both(94), "unique", IN,
         (Caused("missing_fill", ("o1",), coins("BTC/EUR", "-2", "2")),), "order o1 lacks it"),
]  # fmt: skip
