"""Faults of movements, of the opening and of all rows: missing, doubled, late, in other units."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from recon_core.explain.problem.patches import moved_balance
from recon_core.model import Leg, Movement, MovementKind, RecordedSession, SideRecord
from recon_core.model.explanation import CauseKind
from recon_core.mutate import changes
from recon_core.mutate.fault import Dice, Fault, Injection, Scale, by_size, listed, steps
from recon_core.mutate.scene import Scene
from recon_core.values.amounts import EXACT, ZERO, shortest_places

_NEW_ID: Final = "recon-mutate"
_MOST_UNSEEN: Final = 50
"""Last rows that a side has not seen: more of them are a long outage, and no less seen."""
_HOURS: Final = (1, 24)
"""Offsets of clocks that are set wrong: a time zone, a day."""
FACTORS: Final = tuple(Decimal(1).scaleb(power) for power in (1, 2, 3, 6, 8))
"""Factors between units in use: lots, cents, thousands, millionths, satoshi."""

Inject = Callable[[Scene, Dice], Injection | None]
Change = Callable[[SideRecord, Movement], SideRecord]


def _movement(change: Change, *, is_split: bool = False) -> Inject:
    """A fault of any one movement of a currency or of a symbol, sized by its amount."""

    def inject(scene: Scene, dice: Dice) -> Injection | None:
        rows = [
            row
            for row in scene.book.movement_rows
            if (row.movement_kind is MovementKind.SPLIT) is is_split
        ]
        assets = sorted({_asset(row) for row in rows})
        if not assets:
            return None
        asset = dice.choice(assets)
        rows, sizes = by_size([row for row in rows if _asset(row) == asset], _amount)
        if not rows:
            return None
        return Injection(
            asset,
            listed(sizes, asset, dice),
            lambda place: scene.with_rows(change(scene.book, rows[place])),
        )

    return inject


def _asset(row: Movement) -> str:
    return row.currency or row.symbol or ""


def _amount(row: Movement) -> Decimal:
    return row.amount or row.quantity or ZERO


def _again(book: SideRecord, row: Movement) -> SideRecord:
    twin = replace(row, movement_id=f"{row.movement_id}-{_NEW_ID}")
    return replace(book, movements=(*(book.movement_rows), twin))


def _wrong_movement(scene: Scene, dice: Dice) -> Injection | None:
    rows = [row for row in scene.book.movement_rows if row.amount]
    if not rows:
        return None
    row = dice.choice(rows)
    own, currency = row.amount or ZERO, row.currency or ""
    scale = steps(scene.cash_step(currency), own, currency)

    def put(place: int) -> SideRecord:
        wrong = replace(row, amount=EXACT.add(own, scale.at(place)))
        return changes.with_movement(scene.book, row, wrong)

    return Injection(
        f"{row.movement_kind} {row.movement_id}", scale, lambda place: scene.with_rows(put(place))
    )


def _opening_cash(scene: Scene, dice: Dice) -> Injection | None:
    """A balance that the side began with; without an opening it is in what the side states."""
    rows = [row for row in scene.opened("cash") if row.total]
    if not rows:
        return None
    row = dice.choice(rows)
    scale = steps(scene.cash_step(row.currency), row.total, row.currency)
    return Injection(
        row.currency,
        scale,
        lambda place: scene.with_opened("cash", row, moved_balance(row, scale.at(place))),
    )


def _opening_position(scene: Scene, dice: Dice) -> Injection | None:
    """A position that the side began with; without an opening it is in what the side states."""
    rows = [row for row in scene.opened("positions") if row.quantity]
    if not rows:
        return None
    row = dice.choice(rows)
    scale = steps(scene.quantity_step(row.symbol), row.quantity, scene.unit_of(row.symbol))

    def put(place: int) -> RecordedSession:
        wrong = replace(row, quantity=EXACT.add(row.quantity, scale.at(place)))
        return scene.with_opened("positions", row, wrong)

    return Injection(row.symbol, scale, put)


def _stale(scene: Scene, _: Dice) -> Injection | None:
    """The last fills were not seen, and the side says of when it is."""
    times = sorted({fill.time for fill in scene.fills})[-_MOST_UNSEEN - 1 :]
    if len(times) < len(("before", "after")):
        return None
    cuts = times[-2::-1]
    unseen = [Decimal(sum(fill.time > cut for fill in scene.fills)) for cut in cuts]
    usual = tuple(dict.fromkeys((0, len(cuts) // 10, len(cuts) - 1)))
    return Injection(
        "",
        Scale(len(cuts), unseen.__getitem__, usual, "fill", is_counted=True),
        lambda place: scene.with_rows(
            replace(changes.until(scene.book, cuts[place]), as_of=cuts[place])
        ),
    )


def _earlier(scene: Scene, _: Dice) -> Injection | None:
    """The state of some hours ago, under the time of now."""
    latest = scene.book.as_of
    hours = [
        hour
        for hour in _HOURS
        if any(fill.time > latest - timedelta(hours=hour) for fill in scene.fills)
    ]
    return _by_hours(
        scene, hours, lambda hour: changes.until(scene.book, latest - timedelta(hours=hour))
    )


def _other_clock(scene: Scene, _: Dice) -> Injection | None:
    """All times of the rows are off by whole hours."""
    if not scene.lists_fills or not scene.fills:
        return None
    return _by_hours(
        scene,
        list(_HOURS),
        lambda hour: changes.shifted_in_time(scene.book, timedelta(hours=-hour)),
    )


def _by_hours(
    scene: Scene, hours: list[int], book_of: Callable[[int], SideRecord]
) -> Injection | None:
    if not hours:
        return None
    return Injection(
        "",
        Scale(len(hours), lambda place: Decimal(hours[place]), tuple(range(len(hours))), "h"),
        lambda place: scene.with_rows(book_of(hours[place])),
    )


def _rounded(scene: Scene, _: Dice) -> Injection | None:
    """Every quantity of a fill rounded, one decimal less at each size."""
    finest = max((shortest_places(fill.quantity) for fill in scene.fills), default=0)
    if not scene.lists_fills or not finest:
        return None
    return Injection(
        "",
        decimals(finest),
        lambda place: scene.with_rows(changes.rounded(scene.book, finest - 1 - place)),
    )


def decimals(finest: int) -> Scale:
    """Return the sizes of a rounding: to one decimal less than the finest figure, down to none."""
    usual = tuple(dict.fromkeys((0, finest // 2, finest - 1)))
    return Scale(
        finest, lambda place: Decimal(finest - 1 - place), usual, "decimal", is_counted=True
    )


def _scaled(scene: Scene, dice: Dice) -> Injection | None:
    symbols = sorted({fill.symbol for fill in scene.fills})
    if not scene.lists_fills or not symbols:
        return None
    symbol = dice.choice(symbols)
    return Injection(
        symbol,
        factors(),
        lambda place: scene.with_rows(changes.scaled(scene.book, symbol, FACTORS[place])),
    )


def factors() -> Scale:
    """Return the sizes of another unit: its factors."""
    return Scale(len(FACTORS), FACTORS.__getitem__, (0, 2, len(FACTORS) - 1), "times")


def _renamed(scene: Scene, dice: Dice) -> Injection | None:
    symbols = sorted({fill.symbol for fill in scene.fills})
    if not scene.lists_fills or not symbols:
        return None
    symbol = dice.choice(symbols)
    name = changes.another_name(symbol)
    if name == symbol or name in symbols:
        return None
    return Injection(
        symbol, once(), lambda _: scene.with_rows(changes.renamed(scene.book, symbol, name))
    )


def _netted(scene: Scene, _: Dice) -> Injection | None:
    if not scene.lists_fills or all(fill.leg is Leg.NET for fill in scene.fills):
        return None
    return Injection("", once(), lambda _: scene.with_rows(changes.netted(scene.book)))


def once() -> Scale:
    """Return the only size of a fault that is there or is not."""
    return Scale(1, lambda _: Decimal(1), (0,))


FAULTS: Final = (
    Fault(
        CauseKind.MISSING_MOVEMENT,
        "missing movement of {}",
        _movement(lambda book, row: changes.with_movement(book, row, None)),
    ),
    Fault(CauseKind.DUPLICATE_MOVEMENT, "movement of {} twice", _movement(_again)),
    Fault(CauseKind.WRONG_MOVEMENT, "movement too high by {}", _wrong_movement),
    Fault(
        CauseKind.SPLIT,
        "split of {} not applied",
        _movement(lambda book, row: changes.with_movement(book, row, None), is_split=True),
        frozenset({CauseKind.MISSING_MOVEMENT}),
    ),
    Fault(
        CauseKind.OPENING_BALANCE, "opening balance too high by {}", _opening_cash, variant="cash"
    ),
    Fault(
        CauseKind.OPENING_BALANCE,
        "opening position too high by {}",
        _opening_position,
        variant="position",
    ),
    Fault(
        CauseKind.STALE_SIDE,
        "the last {} not seen",
        _stale,
        frozenset({CauseKind.MISSING_FILL, CauseKind.AS_OF_SHIFT}),
    ),
    Fault(
        CauseKind.AS_OF_SHIFT,
        "state of {} ago under the time of now",
        _earlier,
        frozenset({CauseKind.MISSING_FILL, CauseKind.STALE_SIDE}),
        "state",
    ),
    Fault(CauseKind.AS_OF_SHIFT, "times of all rows off by {}", _other_clock, variant="clock"),
    Fault(CauseKind.ROUNDING, "quantities of all fills rounded to {}", _rounded, variant="rows"),
    Fault(
        CauseKind.UNIT,
        "quantities of the fills of a symbol {} as high",
        _scaled,
        frozenset({CauseKind.WRONG_QUANTITY}),
        "rows",
    ),
    Fault(CauseKind.ALIAS, "rows of a symbol under another name", _renamed, variant="rows"),
    Fault(
        CauseKind.NETTED_LEGS,
        "fills of LONG and SHORT as those of one position",
        _netted,
        variant="rows",
    ),
)
"""Every fault of movements, of the opening and of all rows of a side."""
