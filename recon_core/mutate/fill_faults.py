"""Faults of single fills: missing, unknown, doubled, turned, mistyped, cumulative, foreign."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from recon_core.model import Fill, OrderSide, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import cumulated, with_fill, with_fills
from recon_core.mutate.fault import Dice, Fault, Injection, Scale, by_size, listed, steps
from recon_core.mutate.scene import Scene
from recon_core.values.amounts import EXACT, exact_sum, round_to_places, shortest_places

_NEW_ID: Final = "recon-mutate"
"""Begin of the ids of fills that no session has."""
_STRATEGY: Final = "another-strategy"
_MOST_FOREIGN: Final = 5
"""Fills of somebody else: a few, as of a bot that was started with the wrong key."""

Changed = Callable[[SideRecord, Fill], SideRecord]


def _of_symbol(scene: Scene, dice: Dice) -> list[Fill]:
    """Return the fills of one of the symbols that were traded."""
    symbols = sorted({fill.symbol for fill in scene.fills})
    if not symbols:
        return []
    symbol = dice.choice(symbols)
    return [fill for fill in scene.fills if fill.symbol == symbol]


def _each(change: Changed) -> Callable[[Scene, Dice], Injection | None]:
    """A fault of any one fill of a symbol, sized by its quantity."""

    def inject(scene: Scene, dice: Dice) -> Injection | None:
        fills, sizes = by_size(_of_symbol(scene, dice), lambda fill: fill.quantity)
        if not fills:
            return None
        symbol = fills[0].symbol
        return Injection(
            symbol,
            listed(sizes, scene.unit_of(symbol), dice),
            lambda place: scene.with_rows(change(scene.book, fills[place])),
        )

    return inject


def _again(book: SideRecord, fill: Fill) -> SideRecord:
    return with_fills(book, replace(fill, fill_id=f"{fill.fill_id}-{_NEW_ID}"))


def _flipped(book: SideRecord, fill: Fill) -> SideRecord:
    return with_fill(book, fill, replace(fill, side=fill.side.other))


def _orphan(scene: Scene, dice: Dice) -> Injection | None:
    fills = _of_symbol(scene, dice)
    if not fills:
        return None
    like = dice.choice(fills)
    scale = steps(scene.quantity_step(like.symbol), like.quantity, scene.unit_of(like.symbol))
    bogus = replace(
        like,
        fill_id=_NEW_ID,
        side=dice.choice(list(OrderSide)),
        price=EXACT.add(like.price, scene.price_step(like.symbol)),
        client_order_id=like.client_order_id and _NEW_ID,
        exchange_order_id=like.exchange_order_id and _NEW_ID,
    )
    return Injection(
        like.symbol,
        scale,
        lambda place: scene.with_rows(with_fills(scene.book, _of_quantity(bogus, scale.at(place)))),
    )


def _of_quantity(fill: Fill, quantity: Decimal) -> Fill:
    """Return a fill of another quantity, with the fee for it to the decimals of its fee."""
    fee = EXACT.multiply(fill.fee, Decimal(quantity / fill.quantity))
    return replace(fill, quantity=quantity, fee=round_to_places(fee, shortest_places(fill.fee)))


def _wrong(
    step_of: Callable[[Scene, Fill], Decimal], field: str, unit_of: Callable[[Scene, Fill], str]
) -> Callable[[Scene, Dice], Injection | None]:
    """A fault of one figure of one fill, too high by steps."""

    def inject(scene: Scene, dice: Dice) -> Injection | None:
        fills = [fill for fill in scene.fills if getattr(fill, field)]
        if not fills:
            return None
        fill = dice.choice(fills)
        own: Decimal = getattr(fill, field)
        scale = steps(step_of(scene, fill), own, unit_of(scene, fill))

        def put(place: int) -> SideRecord:
            changes = {field: EXACT.add(own, scale.at(place))}
            return with_fill(scene.book, fill, replace(fill, **changes))  # type: ignore[arg-type]

        return Injection(
            f"fill {fill.fill_id} of {fill.symbol}",
            scale,
            lambda place: scene.with_rows(put(place)),
        )

    return inject


def _cumulative(scene: Scene, dice: Dice) -> Injection | None:
    groups: dict[str, list[Fill]] = {}
    for fill in scene.fills:
        groups.setdefault(fill.order_id, []).append(fill)
    groups.pop("", None)
    several = [
        sorted(rows, key=lambda fill: (fill.time, fill.fill_id))
        for rows in groups.values()
        if len({fill.symbol for fill in rows}) == 1 < len(rows)
    ]
    symbols = sorted({rows[0].symbol for rows in several})
    if not symbols:
        return None
    symbol = dice.choice(symbols)
    orders, sizes = by_size([rows for rows in several if rows[0].symbol == symbol], _too_much)
    return Injection(
        symbol,
        listed(sizes, f"{scene.unit_of(symbol)} too much", dice),
        lambda place: scene.with_rows(cumulated(scene.book, orders[place])),
    )


def _too_much(rows: list[Fill]) -> Decimal:
    """Return the sum of what each fill but the last is counted again by those after it."""
    later = range(len(rows) - 1, 0, -1)
    return exact_sum(
        EXACT.multiply(row.quantity, Decimal(times))
        for row, times in zip(rows, later, strict=False)
    )


def _foreign(scene: Scene, dice: Dice) -> Injection | None:
    fills = _of_symbol(scene, dice)
    if not fills:
        return None
    chosen = [
        replace(
            dice.choice(fills),
            fill_id=f"{_NEW_ID}-{number}",
            side=dice.choice(list(OrderSide)),
            position_id=_STRATEGY,
            client_order_id=None,
            exchange_order_id=None,
        )
        for number in range(_MOST_FOREIGN)
    ]
    chosen = [replace(fill, time=fill.time + timedelta(seconds=1)) for fill in chosen]
    return Injection(
        fills[0].symbol,
        Scale(
            _MOST_FOREIGN,
            lambda place: Decimal(place + 1),
            (0, _MOST_FOREIGN - 1),
            "fill",
            is_counted=True,
        ),
        lambda place: scene.with_rows(with_fills(scene.book, *chosen[: place + 1])),
    )


def _unit(scene: Scene, fill: Fill) -> str:
    return scene.unit_of(fill.symbol)


FAULTS: Final = (
    Fault(
        CauseKind.MISSING_FILL,
        "missing fill of {}",
        _each(lambda book, fill: with_fill(book, fill, None)),
        frozenset({CauseKind.STALE_SIDE, CauseKind.ORPHAN_FILL}),
    ),
    Fault(
        CauseKind.ORPHAN_FILL,
        "fill of {} that the other side does not know",
        _orphan,
        frozenset({CauseKind.MISSING_FILL}),
    ),
    Fault(
        CauseKind.DUPLICATE_FILL,
        "fill of {} twice under its id",
        _each(with_fills),
        variant="one id",
    ),
    Fault(
        CauseKind.DUPLICATE_FILL,
        "fill of {} twice under two ids",
        _each(_again),
        frozenset({CauseKind.ORPHAN_FILL}),
        "two ids",
    ),
    Fault(CauseKind.SIDE_FLIPPED, "fill of {} with BUY and SELL exchanged", _each(_flipped)),
    Fault(
        CauseKind.WRONG_QUANTITY,
        "quantity of a fill too high by {}",
        _wrong(lambda scene, fill: scene.quantity_step(fill.symbol), "quantity", _unit),
        frozenset({CauseKind.UNIT}),
    ),
    Fault(
        CauseKind.WRONG_PRICE,
        "price of a fill too high by {}",
        _wrong(lambda scene, fill: scene.price_step(fill.symbol), "price", lambda *_: ""),
        frozenset({CauseKind.UNIT}),
    ),
    Fault(
        CauseKind.WRONG_FEE,
        "fee of a fill too high by {}",
        _wrong(
            lambda scene, fill: scene.cash_step(fill.fee_currency),
            "fee",
            lambda _, fill: fill.fee_currency or "",
        ),
        frozenset({CauseKind.DUPLICATE_FEE, CauseKind.MISSING_FEE}),
    ),
    Fault(
        CauseKind.CUMULATIVE_QUANTITY,
        "fills of an order in cumulative quantities, {}",
        _cumulative,
        frozenset({CauseKind.WRONG_QUANTITY}),
    ),
    Fault(
        CauseKind.FOREIGN_ACTIVITY,
        "{} of another strategy among the rows",
        _foreign,
        frozenset({CauseKind.ORPHAN_FILL, CauseKind.MISSING_FILL}),
    ),
)
"""Every fault of single fills."""
