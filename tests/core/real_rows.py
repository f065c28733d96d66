"""Fills and orders of situations that users of trading systems reported, by their number."""

from dataclasses import dataclass
from typing import Any

from recon_core.model import Fill, Leg, Order, OrderSide

from .builders import at, fill, order


@dataclass(frozen=True)
class Case:
    """What both sides report, and what is found: key → cases of the policy, or a match."""

    name: str
    internal: list[Fill | Order]
    external: list[Fill | Order]
    expected: dict[str, str]
    verdicts: set[str]
    text: str = ""


def buy(fill_id: str, quantity: str, price: str = "1", fee: str = "0 EUR", **more: Any) -> Fill:
    return fill(fill_id, "BUY", quantity, price, fee, **more)


def sell(fill_id: str, quantity: str, price: str = "1", **more: Any) -> Fill:
    return fill(fill_id, "SELL", quantity, price, **more)


def orders(count: int, filled: str, state: str) -> list[Fill | Order]:
    return [order(f"o{number:02d}", "1", filled, state) for number in range(count)]


O1 = {"client_order_id": "o1"}
LIQUIDATION = sell("liq", "231", "165.79")
COIN = buy("2", "3")
FILL = "fill::BTC/EUR,"

CASES = [
    Case(
        "1 a commission of 0.00254 in the base coin, not booked",
        [buy("1", "2.54")],
        [buy("1", "2.54", fee="0.00254 BTC")],
        {f"{FILL}1": "fill_fee"},
        {"WARN"},
    ),
    Case(
        "6 the commission of 2 applied to the quantity",
        [buy("1", "99998", "110", fee="2 USD")],
        [buy("1", "100000", "110", fee="2 USD")],
        {f"{FILL}1": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "7 BNB ran out within one order",
        [buy("1", "5", fee="0.0021485 BNB", **O1), buy("2", "11734", fee="11.734 BNB", **O1)],
        [buy("1", "5", fee="0.0021485 BNB", **O1), buy("2", "11734", fee="11.734 PIVX", **O1)],
        {f"{FILL}2": "fill_fee"},
        {"WARN", "match"},
    ),
    Case(
        "9 a rebate returned as a fee",
        [buy("1", "32824.7195", fee="8.20617985 USDT")],
        [buy("1", "32824.7195", fee="-8.20617985 USDT")],
        {f"{FILL}1": "fill_fee"},
        {"WARN"},
        "fee -8.20617985 USDT",
    ),
    Case(
        "12 a funding row arrives among the trades",
        [buy("1", "100"), buy("funding", "932", "0.01565", fee="-0.00005586 BTC")],
        [buy("1", "100")],
        {f"{FILL}funding": "fill_orphaned"},
        {"FAIL", "match"},
    ),
    Case(
        "18 a contract size of 10 not applied",
        [buy("1", "10")],
        [buy("1", "100")],
        {f"{FILL}1": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "27 ordered quantity kept after a time-out",
        [order("o1", "235.17", "235.17", "CANCELLED")],
        [order("o1", "235.17", "234.93", "CANCELLED")],
        {"order::o1": "order_filled, order_cancelled_filled"},
        {"FAIL"},
    ),
    Case(
        "33 fills before the look-back",
        [buy("2", "75")],
        [sell("1", "140"), buy("2", "75")],
        {f"{FILL}1": "fill_missing"},
        {"FAIL", "match"},
    ),
    Case(
        "36 a fill on the other hedge leg",
        [buy("1", "0.001", leg=Leg.LONG)],
        [buy("1", "0.001", leg=Leg.SHORT)],
        {f"{FILL}1": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "37 the fills of two accounts exchanged",
        [buy("1", "10", account="a"), buy("1", "20", account="b")],
        [buy("1", "20", account="a"), buy("1", "10", account="b")],
        {f"{FILL}1,account=a": "fill_payload", f"{FILL}1,account=b": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "40 one execution twice under a new trade id",
        [buy("1", "1", **O1), buy("2", "1", **O1), order("o1", "1", "1")],
        [buy("1", "1", **O1), order("o1", "1", "1")],
        {f"{FILL}2": "fill_orphaned", "order::o1": "order_overfilled, order_fills"},
        {"FAIL", "match"},
    ),
    Case(
        "46 a broker's liquidation of 231 of 314",
        [buy("1", "314", "165.79")],
        [buy("1", "314", "165.79"), LIQUIDATION],
        {f"{FILL}liq": "fill_missing"},
        {"FAIL", "match"},
        "external SELL 231 at 165.79",
    ),
    Case(
        "48 the stream delivered 4 of 18 orders",
        [*orders(4, "1", "FILLED"), *orders(18, "0", "SUBMITTED")[4:]],
        orders(18, "1", "FILLED"),
        {f"order::o{number:02d}": "order_filled, order_state" for number in range(4, 18)},
        {"FAIL", "match"},
    ),
    Case(
        "51 requested 87, available 48",
        [order("o1", "87", "87")],
        [order("o1", "87", "48", "PARTIALLY_FILLED")],
        {"order::o1": "order_filled, order_partial"},
        {"FAIL"},
    ),
    Case(
        "60 79 shares that no logged fill explains",
        [buy("1", "80", "580.7675")],
        [buy("1", "80", "580.7675"), buy("2", "79", "580.7675")],
        {f"{FILL}2": "fill_missing"},
        {"FAIL", "match"},
    ),
    Case(
        "63 0.1 booked again after a restart",
        [
            buy("1", "0.1", "685.48", **O1),
            buy("1", "0.1", "685.48", **O1),
            order("o1", "0.1", "0.1"),
        ],
        [buy("1", "0.1", "685.48", **O1), order("o1", "0.1", "0.1")],
        {f"{FILL}1": "fill_duplicate", "order::o1": "order_overfilled, order_fills"},
        {"FAIL"},
        "2 times BUY 0.1 at 685.48",
    ),
    Case(
        "64 both paths execute an order of 1",
        [sell("ws", "1", **O1), sell("direct", "1", **O1), order("o1", "1", "2", side="SELL")],
        [sell("ws", "1", **O1), sell("direct", "1", **O1), order("o1", "1", "2", side="SELL")],
        {"order::o1": "order_overfilled"},
        {"FAIL", "match"},
    ),
    Case(
        "66 a flip split in two, and redelivered whole",
        [sell("7-C", "1.000"), sell("7-O", "0.500"), sell("7", "1.500")],
        [sell("7", "1.500")],
        {f"{FILL}7-C": "fill_orphaned", f"{FILL}7-O": "fill_orphaned"},
        {"FAIL", "match"},
    ),
    Case(
        "67 15 orders cancelled by an error code, and filled",
        orders(15, "0", "CANCELLED"),
        orders(15, "1", "FILLED"),
        {
            f"order::o{number:02d}": "order_filled, order_state, order_cancelled_filled"
            for number in range(15)
        },
        {"FAIL"},
        "internal says CANCELLED, and it was filled",
    ),
    Case(
        "69 a source that rounds to whole shares",
        [buy("1", "57.68")],
        [buy("1", "58")],
        {f"{FILL}1": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "70 callbacks: 24 at 119.59, then 124 at 0.00",
        [
            buy("1", "24", "119.59", **O1),
            buy("2", "124", "0.00", time=at(1), **O1),
            order("o1", "124", "124"),
        ],
        [
            buy("1", "24", "119.59", **O1),
            buy("2", "100", "119.59", time=at(1), **O1),
            order("o1", "124", "124"),
        ],
        {f"{FILL}2": "fill_payload", "order::o1": "order_overfilled, order_fills"},
        {"FAIL", "match"},
        "cumulative quantities read as increments",
    ),
    Case(
        "72 a connector that misses fills",
        [buy("1", "5")],
        [buy("1", "5"), COIN],
        {f"{FILL}2": "fill_missing"},
        {"FAIL", "match"},
    ),
    Case(
        "75 a price of 0.00000423 stored as 0.000004",
        [buy("1", "1000", "0.000004")],
        [buy("1", "1000", "0.00000423")],
        {f"{FILL}1": "fill_payload"},
        {"FAIL"},
    ),
    Case(
        "84 local time read as UTC",
        [buy("1", "1", time=at(0))],
        [buy("1", "1", time=at(4 * 3600))],
        {f"{FILL}1": "fill_time"},
        {"WARN"},
    ),
    Case(
        "88 an order gone from the open orders, its trade not yet listed",
        [order("o1", "1", "0", "ACKNOWLEDGED")],
        [],
        {"order::o1": "order_orphaned"},
        {"FAIL"},
    ),
    Case(
        "94 the id of every trade is the order's",
        [buy("o1", "1", **O1), order("o1", "3", "3")],
        [buy("o1", "1", **O1), buy("o1", "2", **O1), order("o1", "3", "3")],
        {f"{FILL}o1": "fill_duplicate, fill_payload", "order::o1": "order_fills"},
        {"FAIL"},
    ),
    Case(
        "96 a stop of 0.17 after 0.09 of 0.17 was closed",
        [order("stop", "0.17", "0", "ACKNOWLEDGED", side=OrderSide.SELL)],
        [order("stop", "0.08", "0", "ACKNOWLEDGED", side=OrderSide.SELL)],
        {"order::stop": "order_payload"},
        {"FAIL"},
    ),
    Case(
        "97 minus zero",
        [buy("1", "1", "-0", fee="-0 EUR")],
        [buy("1", "1", "0", fee="0 EUR")],
        {},
        {"match"},
    ),
]
