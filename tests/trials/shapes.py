"""Shapes of made sessions: what is traded and what else moves, for what recordings lack."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from recon_core.model import Instrument, InstrumentKind, MovementKind

SPOT, LINEAR = InstrumentKind.SPOT, InstrumentKind.LINEAR
INVERSE = InstrumentKind.INVERSE


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument of a made session, and how it is traded.

    `tiers`: taker and maker rates of consecutive parts of the session, instead of `rate`.
    """

    instrument: Instrument
    price: str
    rate: str = "0.001"
    places: int = 4
    price_places: int = 2
    lot: str = "0.5"
    fee_in: str = "quote"
    tiers: tuple[tuple[str, str], ...] = ()


def _spot(base: str, quote: str, price: str, **more: object) -> Market:
    instrument = Instrument(f"{base}/{quote}", SPOT, base, quote, quote)
    return Market(instrument, price, **more)


def _linear(base: str, price: str, multiplier: str = "1", **more: object) -> Market:
    instrument = Instrument(
        f"{base}-PERP", LINEAR, base, "USDT", "USDT", multiplier=Decimal(multiplier)
    )
    return Market(instrument, price, **more)


def _inverse(base: str, price: str, multiplier: str, **more: object) -> Market:
    instrument = Instrument(
        f"{base}-COIN", INVERSE, base, "USD", base, multiplier=Decimal(multiplier)
    )
    return Market(instrument, price, places=0, **more)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a made session is like; movements have `movement_places` decimals."""

    markets: tuple[Market, ...]
    precision: Mapping[str, int]
    opening: Mapping[str, str]
    fills: int = 60
    most_partial: int = 1
    movements: tuple[MovementKind, ...] = ()
    accounts: tuple[str | None, ...] = (None,)
    strategies: int = 0
    is_hedging: bool = False
    has_split: bool = False
    gives_orders: bool = False
    snapshots: int = 0
    opened: tuple[tuple[str, str], ...] = ()
    movement_places: int = 2


_ALL_KINDS = tuple(kind for kind in MovementKind if kind is not MovementKind.SPLIT)
_SPOT_PRECISION = {"EUR": 8, "BTC": 8, "ETH": 8, "BNB": 8}
_BTC = _spot("BTC", "EUR", "43000")
_ETH = _spot("ETH", "EUR", "2300")
_MONEY = {"EUR": "150000.00", "BTC": "2.5", "ETH": "40"}

SHAPES: Mapping[str, Shape] = {
    "made_movements": Shape((_BTC, _ETH), _SPOT_PRECISION, _MONEY, movements=_ALL_KINDS * 2),
    "made_split": Shape(
        (_spot("ACME", "USD", "181", places=0, lot="90", rate="0.0005"),),
        {"USD": 4, "ACME": 8},
        {"USD": "250000.00", "ACME": "100"},
        movements=(MovementKind.DIVIDEND,) * 3,
        has_split=True,
        opened=(("ACME/USD", "100"),),
    ),
    "made_accounts": Shape(
        (_BTC, _ETH),
        _SPOT_PRECISION,
        _MONEY,
        accounts=("main", "sub1"),
        strategies=2,
        movements=(MovementKind.TRANSFER,) * 4,
    ),
    "made_base_fees": Shape(
        (replace(_BTC, fee_in="base"), replace(_ETH, fee_in="base")), _SPOT_PRECISION, _MONEY
    ),
    "made_third_fees": Shape(
        (replace(_BTC, fee_in="BNB"), replace(_ETH, fee_in="BNB")),
        _SPOT_PRECISION,
        {**_MONEY, "BNB": "30"},
    ),
    "made_partials": Shape(
        (_BTC, _ETH), _SPOT_PRECISION, _MONEY, fills=40, most_partial=4, gives_orders=True
    ),
    "made_snapshots": Shape((_BTC,), _SPOT_PRECISION, _MONEY, snapshots=6, movements=_ALL_KINDS),
    "made_margin": Shape(
        (_linear("ETH", "2300", rate="0.0004"), _linear("XRP", "0.61", "10", price_places=4)),
        {"USDT": 8},
        {"USDT": "80000"},
        movements=(MovementKind.FUNDING,) * 12,
    ),
    "made_hedge": Shape(
        (_linear("ETH", "2300", rate="0.0004"),),
        {"USDT": 8},
        {"USDT": "80000"},
        is_hedging=True,
        movements=(MovementKind.FUNDING,) * 4,
        gives_orders=True,
    ),
}

_MOST_ROWS = 9
"""Fills of a small session at most: two faults in it are explained in milliseconds."""

_COARSE = {"places": 0, "price_places": 0, "lot": "4"}
"""Whole quantities of 1 to 4, whole prices: many fills are equal, and many sums meet."""

_SMALL_MARKETS = (
    _spot("BTC", "EUR", "100", **_COARSE),
    _spot("ETH", "EUR", "20", **_COARSE),
    _spot("ETH", "BTC", "12", **_COARSE),
    _linear("BTC", "100", **_COARSE),
    _linear("ETH", "20", "5", **_COARSE),
    _linear("XRP", "12", "0.25", **_COARSE),
)


def small_shape(number: int) -> Shape:
    """A few rows of coarse figures, in which the rules of an explanation meet their edges."""
    dice = random.Random(f"small {number}")  # noqa: S311  # rows, no secrets
    places, fee_in = dice.choice((0, 2, 2, 8)), dice.choice(("quote", "quote", "base", "BNB"))
    rates = dice.choice((("0.001",), ("0.001", "0.002"), ("0.05",), ("-0.01",), ("0",)))
    markets = tuple(
        replace(
            market,
            rate=dice.choice(rates),
            fee_in="quote" if market.instrument.instrument_kind is LINEAR else fee_in,
        )
        for market in dice.sample(_SMALL_MARKETS, dice.choice((1, 1, 2, 3)))
    )
    spot = [one for one in markets if one.instrument.instrument_kind is SPOT]
    has_split = len(spot) == len(markets) == 1 and dice.random() < 0.2
    currencies = ("EUR", "BTC", "ETH", "USDT", "BNB")
    return Shape(
        markets,
        dict.fromkeys(currencies, places),
        dict.fromkeys(currencies, dice.choice(("0", "50", "1000"))),
        fills=dice.randint(3, _MOST_ROWS),
        most_partial=dice.choice((1, 1, 3)),
        movements=tuple(dice.choices(_ALL_KINDS, k=dice.choice((0, 0, 1, 4)))),
        accounts=dice.choice(((None,), (None,), ("main",), ("main", "sub1"))),
        strategies=dice.choice((0, 0, 2)),
        is_hedging=not spot and dice.random() < 0.4,
        has_split=has_split,
        gives_orders=dice.random() < 0.4,
        snapshots=dice.choice((0, 0, 1, 3)),
        opened=((spot[0].instrument.symbol, "7"),) if spot and dice.random() < 0.3 else (),
    )


@dataclass(frozen=True, slots=True)
class Family:
    """Made sessions of one way to trade, by number: each trades one or all of the markets.

    `is_declared`: the session gives the decimal places of its currencies.
    """

    markets: tuple[Market, ...]
    movements: tuple[MovementKind, ...] = ()
    movement_places: int = 2
    is_hedging: bool = False
    is_declared: bool = True


_FUNDING = (MovementKind.FUNDING,)
_PAID = (MovementKind.DEPOSIT, MovementKind.INTEREST, MovementKind.FEE, MovementKind.WITHDRAWAL)
_OPENED = {"EUR": "150000.00", "USD": "250000.00", "USDT": "80000", "BTC": "12.5", "ETH": "400"}
_PERPETUALS = (
    _linear("ETH", "2300", rate="0.0004"),
    _linear("BTC", "43000", "0.001", rate="0.0005", places=0, lot="900"),
)
_SHARES = _spot("ACME", "USD", "181", places=0, lot="90", rate="0.0005")
_TIERS = (("0.001", "-0.0001"), ("0.0008", "-0.00015"), ("0.0006", "-0.0002"))

FAMILIES: Mapping[str, Family] = {
    "spot": Family((_BTC, _ETH), _PAID),
    "shares": Family((_SHARES,), (MovementKind.DIVIDEND,)),
    "perpetuals": Family(_PERPETUALS, _FUNDING),
    "coin-margined": Family(
        (
            _inverse("BTC", "43000", "100", rate="0.0005", lot="60"),
            _inverse("ETH", "2300", "10", rate="0.0005", lot="90"),
        ),
        _FUNDING,
        movement_places=8,
    ),
    "hedge": Family(_PERPETUALS, _FUNDING, is_hedging=True),
    "rebates": Family(
        tuple(replace(market, tiers=_TIERS) for market in (_BTC, _ETH, _PERPETUALS[0])), _PAID[:2]
    ),
    "undeclared": Family((_BTC, _ETH, _SHARES), _PAID, is_declared=False),
}
"""How the worlds of the trials trade; the number of a session is a part of its name."""

_FEWEST_OF_A_FAMILY, _MOST_OF_A_FAMILY = 8, 70
"""Fills of a session of a family: the sizes at which a day of one strategy is recorded."""


def shape_of(family: Family, name: str) -> Shape:
    """The shape of one session of a family; of some orders, snapshots and parts of orders."""
    dice = random.Random(f"family {name}")  # noqa: S311  # rows, no secrets
    is_single = dice.random() < 0.5
    markets = (dice.choice(family.markets),) if is_single else family.markets
    shares = [one for one in markets if one.instrument.base == "ACME"]
    return Shape(
        markets,
        dict.fromkeys(("ACME", "BNB", *_OPENED), 8),
        _OPENED,
        fills=dice.randint(_FEWEST_OF_A_FAMILY, _MOST_OF_A_FAMILY),
        most_partial=dice.choice((1, 1, 3)),
        movements=tuple(dice.choices(family.movements, k=dice.choice((0, 3, 9)))),
        is_hedging=family.is_hedging,
        gives_orders=dice.random() < 0.25,
        snapshots=dice.choice((0, 0, 0, 4)),
        opened=((shares[0].instrument.symbol, "900"),) if shares else (),
        movement_places=family.movement_places,
    )
