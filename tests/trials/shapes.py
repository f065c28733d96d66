"""Shapes of made sessions: what is traded and what else moves, for what recordings lack."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from recon_core.model import Instrument, InstrumentKind, MovementKind

SPOT, LINEAR = InstrumentKind.SPOT, InstrumentKind.LINEAR


@dataclass(frozen=True, slots=True)
class Market:
    """One instrument of a made session, and how it is traded."""

    instrument: Instrument
    price: str
    rate: str = "0.001"
    places: int = 4
    price_places: int = 2
    lot: str = "0.5"
    fee_in: str = "quote"


def _spot(base: str, quote: str, price: str, **more: object) -> Market:
    instrument = Instrument(f"{base}/{quote}", SPOT, base, quote, quote)
    return Market(instrument, price, **more)


def _linear(base: str, price: str, multiplier: str = "1", **more: object) -> Market:
    instrument = Instrument(
        f"{base}-PERP", LINEAR, base, "USDT", "USDT", multiplier=Decimal(multiplier)
    )
    return Market(instrument, price, **more)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a made session is like."""

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
