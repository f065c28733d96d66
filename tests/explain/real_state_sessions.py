"""What is said of the situations that users reported: balances, units, names, movements."""

from decimal import Decimal

from recon_core.engine.reconciliation import Reconciliation
from recon_core.model import CashBalance, Instrument, InstrumentKind, Leg, Position
from tests.core.builders import side
from tests.explain.real_sessions import (
    Caused,
    Told,
    balances,
    books,
    linear,
    moved,
    session,
    silent,
    stated,
)

OM = linear("OM-SWAP", "USDT", "10")
CONTRACTS = linear("SLP", "USDT", "10"), linear("UMA", "USDT", "0.1")
SHARE = Instrument("SHR", InstrumentKind.SPOT, "SHR", "USD", "USD")
PROFIT = {"USDT": "103.73685617"}
IN, OUT, NEITHER = "internal", "external", None


def _usdt(total: str, free: str | None = None, locked: str | None = None) -> CashBalance:
    parts = (None if part is None else Decimal(part) for part in (free, locked))
    return CashBalance("USDT", Decimal(total), *parts)


def _swapped() -> Reconciliation:
    return balances([_usdt("24.204227", "13.204227", "11.0")],
                    [_usdt("24.204227", "11.0", "13.204227")])  # fmt: skip


def _without_margin() -> Reconciliation:
    return balances([_usdt("4271.12149513", "4271.12149513")],
                    [_usdt("4271.12149513", "1804.74769", "2466.37380399")])  # fmt: skip


def _funding_lost(stated_as: str | None) -> Reconciliation:
    funding = moved("f1", "funding", "-8.11888781 USDT")
    if stated_as is None:
        return session(books(opening=PROFIT), books(funding, opening=PROFIT))
    given = side((), {"USDT": stated_as})
    ledger = books(funding, opening=PROFIT, positions=given.positions, cash=given.cash)
    return session(ledger, silent(books(funding, opening=PROFIT)))


def _funding_on_all() -> Reconciliation:
    own, on_all = (moved("f1", "funding", f"{amount} USDT") for amount in ("-10", "-30"))
    return session(books(on_all, opening=PROFIT), books(own, opening=PROFIT))


def _legs(internal: list[Position], long: str, short: str) -> Reconciliation:
    legs = [
        Position("ETHUSDT", Decimal(quantity), leg=leg)
        for leg, quantity in ((Leg.LONG, long), (Leg.SHORT, short))
    ]
    return session(side(tuple(internal), {}), side(tuple(legs), {}))


def _accounts() -> Reconciliation:
    both = tuple(Position("X", Decimal(quantity), account=account)
                 for account, quantity in (("a", "10"), ("b", "20")))  # fmt: skip
    whole = Position("X", Decimal(30), account="a")
    return session(side((whole,), {}), side(both, {}))


def _split() -> Reconciliation:
    held = {"SHR": "100"}
    fractional = moved("split", "split", symbol="SHR", quantity=Decimal("599.99972"))
    whole = moved("split", "split", symbol="SHR", quantity=Decimal(599))
    lieu = moved("lieu", "dividend", "0.99972 USD")
    ledger = books(fractional, opening={"USD": "0"}, held=held)
    return session(ledger, books(whole, lieu, opening={"USD": "0"}, held=held), SHARE)


def _sweep() -> Reconciliation:
    row, opening = moved("sweep", "transfer", "1500.25 USD", -3600), {"USD": "1000"}
    given = side((), {"USD": "4000.50"})
    ledger = books(row, opening=opening, positions=given.positions, cash=given.cash)
    return session(ledger, silent(books(row, opening=opening)))


def _dividend() -> Reconciliation:
    row, opening = moved("div", "dividend", "12.34 USD", -3600), {"USD": "1000"}
    return session(books(row, opening=opening), books(opening=opening))


def _doubled() -> Reconciliation:
    unknown = {f"S{number}": "3" for number in range(9)}
    return session(side({"AVGO": "2", "TXN": "1"}), side({"AVGO": "4", "TXN": "2", **unknown}))


def _unexplained(name: str, internal: str, external: str, residual: str) -> Told:
    return Told(name, lambda: stated({"X": internal}, {"X": external}), "unexplained", NEITHER,
                (), residual, "the fills and movements of both sides")  # fmt: skip


STATE_ROWS = [
    Told("15 free and used swapped", _swapped, "unique", IN, (Caused("balance_kind", (), {}),),
         "free and locked swapped"),
    Told("16 free without the margin", _without_margin, "unique", IN,
         (Caused("balance_kind", (), {}),), "the margin of 2466.37380513 is not taken off"),
    Told("18 a contract size of 10", lambda: stated({"OM-SWAP": "10"}, {"OM-SWAP": "100"}, OM),
         "unique", IN, (Caused("unit", (), {"position::OM-SWAP": "-90"}),), "1/10 times as much"),
    Told("19 a contract size of each symbol",
         lambda: stated({"SLP": "1", "UMA": "1"}, {"SLP": "10", "UMA": "0.1"}, *CONTRACTS),
         "unique", IN, (Caused("unit", (), {"position::SLP": "-9", "position::UMA": "0.9"}),),
         "by the contract multiplier"),
    Told("22 ten times too much for one pair",
         lambda: stated({"OM-SWAP": "30", "ETH": "2"}, {"OM-SWAP": "3", "ETH": "2"}, OM),
         "unique", IN, (Caused("unit", (), {"position::OM-SWAP": "27"}),), "10 times as much"),
    Told("25 rewards under another name",
         lambda: session(side({}, {"BTC": "0.00382642"}), side({}, {"XBT.F": "0.00382642"})),
         "unique", IN, (Caused("alias", (), {"cash::BTC": "0.00382642",
                                             "cash::XBT.F": "-0.00382642"}),),
         "BTC is what the other side calls XBT.F"),
    Told("28 funding lost, in the rows", lambda: _funding_lost(None), "unique", IN,
         (Caused("missing_movement", ("f1",), {"cash::USDT": "8.11888781"}),),
         "not booked funding f1"),
    Told("28 funding lost, in the total", lambda: _funding_lost("103.73685617"), "unique", IN,
         (Caused("missing_movement", ("f1",), {"cash::USDT": "8.11888781"}),),
         "not booked funding f1"),
    Told("28 funding lost, in the total as it was shown", lambda: _funding_lost("103.737"),
         "partial", IN, (Caused("missing_movement", ("f1",), {"cash::USDT": "8.11888781"}),),
         "USDT +0.00014383 remains, no more than was rounded off",
         "the digits that the internal side cut off its cash USDT"),
    Told("31 funding of both bots' 30", _funding_on_all, "unique", IN,
         (Caused("wrong_movement", ("f1",), {"cash::USDT": "-20"}),),
         "-30 against -10, 3 times what it should be"),
    Told("36 one net position for two legs",
         lambda: _legs([Position("ETHUSDT", Decimal("0.001"))], "0.002", "-0.001"), "unique", IN,
         (Caused("netted_legs", (), {"position::ETHUSDT": "0.001",
                                     "position::ETHUSDT,leg=LONG": "-0.002",
                                     "position::ETHUSDT,leg=SHORT": "0.001"}),),
         "LONG and SHORT are netted"),
    Told("36 equal legs, and nothing", lambda: _legs([], "0.002", "-0.002"), "ambiguous", IN,
         (Caused("netted_legs", (), {"position::ETHUSDT,leg=LONG": "-0.002",
                                     "position::ETHUSDT,leg=SHORT": "0.002"}),),
         "LONG and SHORT are netted", "the fills of each leg on the internal side"),
    Told("37 two accounts under one name", _accounts, "unique", IN,
         (Caused("foreign_activity", (), {"position::X,account=a": "20",
                                          "position::X,account=b": "-20"}),),
         "the sum of the accounts a, b"),
    Told("52 a split, and cash in lieu", _split, "unique", IN,
         (Caused("split", ("split",), {"position::SHR": "0.99972"}),
          Caused("missing_movement", ("lieu",), {"cash::USD": "-0.99972"})),
         "not booked dividend lieu"),
    Told("54 holdings counted as cash again",
         lambda: session(side({"BTC/EUR": "0.26"}, {"BTC": "0.32"}),
                         side({"BTC/EUR": "0.26"}, {"BTC": "0.06"})),
         "unique", IN, (Caused("balance_kind", (), {"cash::BTC": "0.26"}),),
         "its BTC counts the position BTC/EUR of 0.26 as cash again"),
    Told("55 a sweep counted twice (the report gives no amount)", _sweep, "unique", IN,
         (Caused("duplicate_movement", ("sweep",), {"cash::USD": "1500.25"}),),
         "has booked transfer sweep"),
    Told("57 a dividend before its pay date (the report gives no amount)", _dividend, "ambiguous",
         None, (Caused("foreign_activity", ("div",), {"cash::USD": "12.34"}, IN),
                Caused("as_of_shift", ("div",), {"cash::USD": "-12.34"}, OUT)),
         "it may have accrued, and is not paid yet",
         "what the external side states at a later time than"),
    Told("69 a whole number of shares, and nothing besides",
         lambda: stated({"X": "57.68"}, {"X": "58"}), "ambiguous", OUT,
         (Caused("rounding", (), {"position::X": "0.32"}),), "to 0 decimals",
         "the digits that X of the external side lacks"),
    Told("73 raw values", lambda: session(side({"X": "1250000"}, {"USDT": "35000000"}),
                                          side({"X": "1.25"}, {"USDT": "35"})),
         "unique", IN, (Caused("unit", (), {"position::X": "1249998.75",
                                            "cash::USDT": "34999965"}),),
         "1000000 times as much"),
    Told("76 quantised up", lambda: session(side({}, {"USDT": "633.6816"}),
                                            side({}, {"USDT": "633.68156280"})),
         "unique", IN, (Caused("rounding", (), {"cash::USDT": "0.0000372"}),), "to 4 decimals"),
    Told("82 one cent of 25", lambda: session(side({}, {"EUR": "25.00"}),
                                              side({}, {"EUR": "25.01"})),
         "unexplained", NEITHER, (), "EUR -0.01", "the fills and movements of both sides"),
    Told("90 two symbols exactly doubled", _doubled, "unexplained", NEITHER, (),
         "AVGO and TXN are exactly 2 times as much on the external side",
         "the fills and movements of both sides"),
    _unexplained("34 no report of the venue", "411.04014423", "0", "X +411.04014423"),
    _unexplained("39 a flat position that is not told", "-5", "0", "X -5"),
    _unexplained("42 settlement dust", "0", "0.003", "X -0.003"),
    _unexplained("81 closed, and still open there", "0", "63.43", "X -63.43"),
]  # fmt: skip
