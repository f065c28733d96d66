"""Faults of what a side states, whatever its rows give: units, signs, digits, names, kinds."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from recon_core.ledger.bookings import is_derivative
from recon_core.model import CashBalance, Leg, Position, RecordedSession
from recon_core.model.explanation import CauseKind
from recon_core.mutate.book_faults import FACTORS, decimals, factors, once
from recon_core.mutate.changes import another_name
from recon_core.mutate.fault import Dice, Fault, Injection, by_size, listed, steps
from recon_core.mutate.scene import Scene
from recon_core.values.amounts import EXACT, ZERO, round_to_places, shortest_places

_OF_ONE_WORTH: Final = {"USDT": "USDC", "USD": "USDT", "EUR": "EURC", "BTC": "WBTC", "ETH": "WETH"}
"""Currencies that are held for each other; another one is converted to USDC."""

_Stated = Position | CashBalance


def _figure(row: _Stated) -> Decimal:
    return row.quantity if isinstance(row, Position) else row.total


def _name(row: _Stated) -> str:
    return row.symbol if isinstance(row, Position) else row.currency


def _of_figure(row: _Stated, amount: Decimal) -> _Stated:
    """Return a row with another figure; of a balance the parts are unknown then."""
    if isinstance(row, Position):
        return replace(row, quantity=amount)
    return replace(row, total=amount, free=None, locked=None)


def _with(scene: Scene, old: _Stated, *new: _Stated) -> RecordedSession:
    """Return the session with a row of the statement replaced, found by identity."""
    section = "positions" if isinstance(old, Position) else "cash"
    rows: list[Any] = []
    for row in scene.record.rows(section) or ():
        rows += new if row is old else [row]
    return scene.with_side(replace(scene.record, **{section: tuple(rows)}))  # type: ignore[arg-type]


def _held(scene: Scene, section: str) -> list[Any]:
    """Return the rows of a section of the statement that are not 0."""
    return [row for row in scene.record.rows(section) or () if _figure(row)]  # type: ignore[arg-type]


def _unit(section: str) -> Callable[[Scene, Dice], Injection | None]:
    def inject(scene: Scene, dice: Dice) -> Injection | None:
        rows = _held(scene, section)
        if not rows:
            return None
        row = dice.choice(rows)
        return Injection(
            _name(row),
            factors(),
            lambda place: _with(
                scene, row, _of_figure(row, EXACT.multiply(_figure(row), FACTORS[place]))
            ),
        )

    return inject


def _negated(scene: Scene, _: Dice) -> Injection | None:
    rows = _held(scene, "positions")
    if not rows:
        return None
    turned = tuple(
        replace(row, quantity=row.quantity.copy_negate()) for row in scene.record.position_rows
    )
    return Injection("", once(), lambda _: scene.with_side(replace(scene.record, positions=turned)))


def _rounded(scene: Scene, _: Dice) -> Injection | None:
    """Every figure of the statement rounded, one decimal less at each size."""
    rows = [*_held(scene, "positions"), *_held(scene, "cash")]
    finest = max((shortest_places(_figure(row)) for row in rows), default=0)
    if not finest:
        return None

    def rows_of(section: str, places: int) -> Any:
        stated = scene.record.rows(section)
        return stated and tuple(
            _of_figure(row, round_to_places(_figure(row), places))  # type: ignore[arg-type]
            for row in stated
        )

    def put(place: int) -> RecordedSession:
        places = finest - 1 - place
        changed = {section: rows_of(section, places) for section in ("positions", "cash")}
        return scene.with_side(replace(scene.record, **changed))

    return Injection("", decimals(finest), put)


def _symbol(scene: Scene, dice: Dice) -> Injection | None:
    rows = _held(scene, "positions")
    row = dice.choice(rows) if rows else None
    if row is None or another_name(row.symbol) in {_name(one) for one in rows}:
        return None
    return Injection(
        row.symbol,
        once(),
        lambda _: _with(scene, row, replace(row, symbol=another_name(row.symbol))),
    )


def _currency(scene: Scene, dice: Dice) -> Injection | None:
    rows = _held(scene, "cash")
    row = dice.choice(rows) if rows else None
    if row is None or f"X{row.currency}" in {_name(one) for one in rows}:
        return None
    return Injection(
        row.currency,
        once(),
        lambda _: _with(scene, row, replace(row, currency=f"X{row.currency}")),
    )


def _converted(scene: Scene, dice: Dice) -> Injection | None:
    """A part of a balance in another currency of one worth, which the side did not list."""
    listed_names = {row.currency for row in scene.record.cash_rows}
    rows = [
        row
        for row in _held(scene, "cash")
        if row.total > 0 and _OF_ONE_WORTH.get(row.currency, "USDC") not in listed_names
    ]
    if not rows:
        return None
    row = dice.choice(rows)
    scale = steps(scene.cash_step(row.currency), row.total, row.currency)
    other = _OF_ONE_WORTH.get(row.currency, "USDC")

    def put(place: int) -> RecordedSession:
        part = scale.at(place)
        left = _of_figure(row, EXACT.subtract(row.total, part))
        return _with(scene, row, left, CashBalance(other, part, account=row.account))

    return Injection(row.currency, scale, put)


def _without_locked(scene: Scene, dice: Dice) -> Injection | None:
    """The free part of a balance stated as its total."""
    rows = [row for row in _held(scene, "cash") if row.total > 0]
    if not rows:
        return None
    row = dice.choice(rows)
    scale = steps(scene.cash_step(row.currency), row.total, row.currency)
    return Injection(
        row.currency,
        scale,
        lambda place: _with(
            scene, row, _of_figure(row, EXACT.subtract(row.total, scale.at(place)))
        ),
    )


def _netted(scene: Scene, _: Dice) -> Injection | None:
    """LONG and SHORT stated as one NET position."""
    legs = [row for row in scene.record.position_rows if row.leg is not Leg.NET]
    if not any(row.quantity for row in legs):
        return None
    nets: dict[tuple[str | None, str], Decimal] = {}
    for row in legs:
        key = row.account, row.symbol
        nets[key] = EXACT.add(nets.get(key, ZERO), row.quantity)
    net = (Position(symbol, total, account=account) for (account, symbol), total in nets.items())
    others = (row for row in scene.record.position_rows if row.leg is Leg.NET)
    changed = replace(scene.record, positions=(*others, *net))
    return Injection("", once(), lambda _: scene.with_side(changed))


def _multiplier(scene: Scene, dice: Dice) -> Injection | None:
    """The cash of a contract counted with another multiplier; its quantities are right."""
    instruments = {
        symbol: scene.instrument_of(symbol) for symbol in {f.symbol for f in scene.fills}
    }
    symbols = sorted(symbol for symbol, one in instruments.items() if one and is_derivative(one))
    if not symbols or scene.record.cash is None:
        return None
    symbol = dice.choice(symbols)
    instrument = instruments[symbol]
    assert instrument is not None  # noqa: S101  # one of those that are declared
    return Injection(
        symbol,
        factors(),
        lambda place: scene.with_multiplier(
            symbol, EXACT.multiply(instrument.multiplier, FACTORS[place])
        ),
    )


def _clipped(scene: Scene, dice: Dice) -> Injection | None:
    """A negative balance, or a short position, stated as 0."""
    rows = [row for row in (*_held(scene, "positions"), *_held(scene, "cash")) if _figure(row) < 0]
    if not rows:
        return None
    name = dice.choice(sorted({_name(row) for row in rows}))
    found, sizes = by_size([row for row in rows if _name(row) == name], _figure)
    unit = scene.unit_of(name) if isinstance(found[0], Position) else name
    return Injection(
        name,
        listed(sizes, unit, dice),
        lambda place: _with(scene, found[place], _of_figure(found[place], ZERO)),
    )


FAULTS: Final = (
    Fault(CauseKind.UNIT, "stated position {} as high", _unit("positions"), variant="position"),
    Fault(CauseKind.UNIT, "stated balance {} as high", _unit("cash"), variant="balance"),
    Fault(CauseKind.SIGN_CONVENTION, "stated positions with the other sign", _negated),
    Fault(CauseKind.ROUNDING, "stated figures rounded to {}", _rounded, variant="statement"),
    Fault(CauseKind.ALIAS, "stated position under another name", _symbol, variant="position"),
    Fault(CauseKind.ALIAS, "stated balance under another name", _currency, variant="balance"),
    Fault(CauseKind.CONVERSION, "{} stated in another currency", _converted),
    Fault(CauseKind.BALANCE_KIND, "stated balance without {} that are locked", _without_locked),
    Fault(
        CauseKind.NETTED_LEGS, "LONG and SHORT stated as one position", _netted, variant="statement"
    ),
    Fault(CauseKind.MULTIPLIER, "cash of a contract counted at {} its multiplier", _multiplier),
    Fault(CauseKind.CLIPPED_BALANCE, "{} below 0 stated as 0", _clipped),
)
"""Every fault of what a side states."""
