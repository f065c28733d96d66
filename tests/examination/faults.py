"""Faults of either side, and the sessions that show them.

A fault changes the rows of a side with their figures (`rows`), the list alone (`listed_only`), or
the figures alone (`state`). `kinds` and `ids` are what a right answer may call it; a fault without
kinds is a figure that is wrong by chance, and no answer names it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from functools import cached_property
from random import Random
from typing import Final

from .ledger import Books, Fill, Instrument, Key, Movement, State, rounded
from .worlds import Side, World

D = Decimal
ChangeRows = Callable[[Books], Books]
ChangeState = Callable[[State], State]


@dataclass(frozen=True)
class Fault:
    """One fault of one side; with `always` the figures of its snapshots are changed, too."""

    name: str
    side: str
    kinds: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    rows: ChangeRows | None = None
    listed_only: bool = False
    state: ChangeState | None = None
    always: bool = False
    behind: datetime | None = None
    names: tuple[str, str] | None = None
    multipliers: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A true session and its faults."""

    world: World
    faults: tuple[Fault, ...]

    def sides(self, faults: Sequence[Fault] | None = None) -> tuple[Side, Side]:
        """Both sides with these faults; by default with all."""
        held = self.faults if faults is None else faults
        return _side(self.world, "internal", held), _side(self.world, "external", held)

    @property
    def multipliers(self) -> dict[str, Decimal]:
        """Declared multipliers that are wrong."""
        return {symbol: m for fault in self.faults for symbol, m in fault.multipliers.items()}


def _side(world: World, name: str, faults: Sequence[Fault]) -> Side:
    shown = world.ledger if name == "internal" else world.exchange
    mine = [fault for fault in faults if fault.side == name]
    books = listed = world.books
    for fault in mine:
        if fault.rows is not None:
            listed = fault.rows(listed)
            books = books if fault.listed_only else fault.rows(books)
    for end in (fault.behind for fault in mine if fault.behind):
        books, listed = books.until(end), listed.until(end)
    side = replace(world.side(books, shown), listed=listed)
    for fault in mine:
        points = side.snapshots
        if fault.behind is not None:
            points = tuple(point for point in points if point[0] <= fault.behind)
        if fault.state is not None:
            if fault.always:
                points = tuple((time, fault.state(state)) for time, state in points)
            side = replace(side, state=fault.state(side.state))
        side = replace(side, snapshots=points)
    return side


@dataclass(frozen=True)
class _Place:
    """Where a fault is drawn."""

    rng: Random
    world: World
    side: str

    @cached_property
    def row(self) -> Fill:
        """A fill."""
        return self.rng.choice(self.world.books.fills)

    @cached_property
    def payment(self) -> Movement | None:
        """A movement, where there is one."""
        rows = self.world.books.movements
        return self.rng.choice(rows) if rows else None

    @property
    def thing(self) -> Instrument:
        """The instrument of the fill."""
        return self.world.instruments[self.row.symbol]

    def places(self, currency: str | None) -> int:
        """Decimals of a currency."""
        return self.world.precision.get(currency or "", 8)

    def fault(self, kinds: str, rows: ChangeRows | None, *ids: str) -> Fault:
        """A fault of rows; its name is set where it is drawn."""
        return Fault("", self.side, frozenset(kinds.split()), frozenset(ids), rows)

    def of_fill(self, kinds: str, **changes: object) -> Fault:
        """The fault that the fill has other fields."""
        change = _one(self.row.id, lambda old: replace(old, **changes))
        return self.fault(kinds, change, self.row.id)

    def of_fee(self, kinds: str, times: int) -> Fault | None:
        """The fault that the fee is so many times what it was."""
        return self.of_fill(kinds, fee=times * self.row.fee) if self.row.fee else None

    def of_payment(self, kinds: str, **changes: object) -> Fault | None:
        """The fault that the movement has other fields."""
        row = self.payment
        if row is None:
            return None
        return self.fault(kinds, _payment(row.id, lambda old: replace(old, **changes)), row.id)


Draw = Callable[[_Place], Fault | None]


def _each(change: Callable[[Fill], Fill]) -> ChangeRows:
    return lambda books: replace(books, fills=tuple(change(row) for row in books.fills))


def _one(row_id: str, change: Callable[[Fill], Fill]) -> ChangeRows:
    return _each(lambda row: change(row) if row.id == row_id else row)


def _payment(row_id: str, change: Callable[[Movement], Movement]) -> ChangeRows:
    return lambda books: replace(
        books,
        movements=tuple(change(row) if row.id == row_id else row for row in books.movements),
    )


def _less(*ids: str) -> ChangeRows:
    return lambda books: replace(
        books,
        fills=tuple(row for row in books.fills if row.id not in ids),
        movements=tuple(row for row in books.movements if row.id not in ids),
    )


def _more(row: Fill | Movement) -> ChangeRows:
    if isinstance(row, Fill):
        return lambda books: replace(books, fills=(*books.fills, row))
    return lambda books: replace(books, movements=(*books.movements, row))


def _digit(rng: Random, amount: Decimal) -> Decimal:
    """The amount with one digit changed."""
    text = format(amount, "f")
    place = rng.choice([k for k, sign in enumerate(text) if sign.isdigit()])
    changed = text[:place] + str((int(text[place]) + rng.randrange(1, 10)) % 10) + text[place + 1 :]
    return D(changed) or amount * 2


def _fee_of(at: _Place, quantity: Decimal, price: Decimal) -> Decimal | None:
    """The fee of the fill with another value: the old one, or in proportion."""
    if at.row.fee is None or at.rng.random() < 0.5 or at.world.schedule not in PROPORTIONAL:
        return at.row.fee
    ratio = quantity * price / (at.row.quantity * at.row.price)
    if at.thing.kind == "inverse":
        ratio = quantity * at.row.price / (at.row.quantity * price)
    return rounded(at.row.fee * ratio, at.places(at.row.fee_currency))


PROPORTIONAL: Final = ("rate", "makers", "rebates", "third")


def _copied(at: _Place) -> Fault:
    later = at.row.time + timedelta(seconds=at.rng.choice([0, 1, 3, 2000]))
    copy = replace(at.row, id=f"{at.row.id}9", time=later)
    return at.fault("duplicate_fill orphan_fill", _more(copy), at.row.id, copy.id)


def _foreign(at: _Place) -> Fault:
    strange = replace(
        at.row,
        id="x77001",
        quantity=at.thing.lot * at.rng.randrange(1, 500),
        price=max(at.row.price + at.thing.tick * at.rng.randrange(-40, 41), at.thing.tick),
        side=at.rng.choice(["BUY", "SELL"]),
        order="c99",
        exchange_order="9900",
        time=at.row.time + timedelta(seconds=at.rng.randrange(1, 3000)),
    )
    fee, currency = at.world.fee(strange, at.rng)
    row = replace(strange, fee=fee, fee_currency=currency)
    return at.fault("orphan_fill foreign_activity", _more(row), row.id)


def _resized(at: _Place) -> Fault:
    old = at.row.quantity
    quantity = at.rng.choice([old * 10, old * 2, old + at.thing.lot, _digit(at.rng, old)])
    fee = _fee_of(at, quantity, at.row.price)
    return at.of_fill("wrong_quantity cumulative_quantity", quantity=quantity, fee=fee)


def _repriced(at: _Place) -> Fault:
    ticks = at.thing.tick * at.rng.randrange(1, 60)
    price = at.rng.choice([at.row.price + ticks, _digit(at.rng, at.row.price)])
    return at.of_fill("wrong_price", price=price, fee=_fee_of(at, at.row.quantity, price))


def _random(at: _Place) -> Fault:
    unit = D(1).scaleb(-at.places(at.row.fee_currency))
    return at.of_fill(
        "wrong_quantity wrong_price wrong_fee",
        quantity=at.thing.lot * at.rng.randrange(1, 4000),
        price=at.row.price + at.thing.tick * at.rng.randrange(1, 99),
        fee=(at.row.fee or D(0)) + unit * at.rng.randrange(1, 999),
    )


def _elsewhere(at: _Place) -> Fault | None:
    others = [
        other.symbol
        for other in at.world.instruments.values()
        if other.symbol != at.row.symbol and other.kind == at.thing.kind
    ]
    return at.of_fill("", symbol=at.rng.choice(others)) if others else None


def _unpaid(at: _Place) -> Fault:
    none = {"fee": None, "fee_currency": None}
    return at.of_fill("missing_fee", **(none if at.rng.random() < 0.3 else {"fee": D(0)}))


def _other_fee(at: _Place) -> Fault | None:
    fee, places = at.row.fee or D(0), at.places(at.row.fee_currency)
    more = D(at.rng.randrange(1, 500)).scaleb(-places)
    wrong = rounded(at.rng.choice([fee + more, _digit(at.rng, fee), fee * D("1.25")]), places)
    return at.of_fill("wrong_fee", fee=wrong) if fee else None


def _other_currency(at: _Place) -> Fault | None:
    if not at.row.fee:
        return None
    held = set(at.world.books.cash) | {thing.quote for thing in at.world.instruments.values()}
    other = at.rng.choice(sorted(held - {at.row.fee_currency}) or ["BNB"])
    amount = at.row.fee if at.rng.random() < 0.6 else at.row.fee / at.rng.randrange(2, 400)
    fee = rounded(amount, at.places(other))
    kinds = "fee_currency" if fee else "fee_currency missing_fee"
    return at.of_fill(kinds, fee=fee, fee_currency=other)


OTHER_SIDE: Final = {"BUY": "SELL", "SELL": "BUY"}
FILLS: Final[dict[str, Draw]] = {
    "lost_fill": lambda at: at.fault("missing_fill", _less(at.row.id), at.row.id),
    "duplicate_same_id": lambda at: at.fault(
        "duplicate_fill orphan_fill", _more(at.row), at.row.id
    ),
    "duplicate_new_id": _copied,
    "foreign_fill": _foreign,
    "flipped": lambda at: at.of_fill("side_flipped", side=OTHER_SIDE[at.row.side]),
    "wrong_quantity": _resized,
    "wrong_price": _repriced,
    "random_fill": _random,
    "wrong_time": lambda at: at.of_fill(
        "", time=at.row.time + timedelta(hours=at.rng.choice([1, -1, 5]))
    ),
    "wrong_symbol": _elsewhere,
    "fee_lost": _unpaid,
    "fee_twice": lambda at: at.of_fee("duplicate_fee wrong_fee", 2),
    "fee_turned": lambda at: at.of_fee("fee_sign wrong_fee", -1),
    "wrong_fee": _other_fee,
    "fee_currency": _other_currency,
}


def _all_fees(at: _Place) -> Fault:
    ratio = D(at.rng.choice(["0.75", "0.8", "1.25", "2", "0.5", "0", "-1", "100"]))

    def changed(row: Fill) -> Fill:
        fee = rounded((row.fee or D(0)) * ratio, at.places(row.fee_currency))
        return replace(row, fee=fee)

    return at.fault("fee_rate missing_fee fee_sign duplicate_fee unit wrong_fee", _each(changed))


def _outage(at: _Place) -> Fault | None:
    fills = at.world.books.fills
    first = at.rng.randrange(len(fills))
    gone = [row.id for row in fills[first : first + at.rng.randrange(2, 5)]]
    # Of the last rows it is no other fault than a side that is behind.
    kinds = "missing_fill stale_side as_of_shift" if gone[-1] == fills[-1].id else "missing_fill"
    return at.fault(kinds, _less(*gone), *gone) if len(gone) > 1 else None


def _behind(at: _Place) -> Fault | None:
    fills = at.world.books.fills
    if len(fills) < 2:
        return None
    end = fills[-at.rng.randrange(1, min(4, len(fills))) - 1].time
    gone = frozenset(row.id for row in fills if row.time > end)
    gone |= {row.id for row in at.world.books.movements if row.time > end}
    if at.side == "external":
        return Fault("", at.side, frozenset({"stale_side", "as_of_shift"}), gone, behind=end)
    return at.fault("stale_side as_of_shift missing_fill", _less(*gone), *gone)


def _an_order(at: _Place) -> list[Fill]:
    rows = [row for row in at.world.books.fills if row.order == at.row.order]
    return rows if len(rows) > 1 else []


def _cumulative(at: _Place) -> Fault | None:
    total, running = D(0), {}
    for row in _an_order(at):
        total += row.quantity
        running[row.id] = total
    change = _each(lambda row: replace(row, quantity=running.get(row.id, row.quantity)))
    return at.fault("cumulative_quantity", change, *running) if running else None


def _merged(at: _Place) -> Fault | None:
    """Rows of an order in one, at an average that is rounded to a tick, or not."""
    rows = _an_order(at)
    if not rows:
        return None
    quantity = sum((row.quantity for row in rows), D(0))
    price = sum((row.quantity * row.price for row in rows), D(0)) / quantity
    price = rounded(price, at.rng.choice([2, 6, 12])) or rows[0].price
    fee = sum((row.fee or D(0) for row in rows), D(0))
    one = replace(rows[-1], quantity=quantity, price=price, fee=fee)
    gone = [row.id for row in rows]

    def change(books: Books) -> Books:
        return _more(one)(_less(*gone)(books))

    return at.fault("missing_fill wrong_price wrong_quantity", change, *gone)


def _tenfold(at: _Place) -> Fault:
    symbol, power = at.row.symbol, D(at.rng.choice(["10", "100", "0.1", "0.01", "1000"]))
    change = _each(
        lambda row: replace(row, quantity=row.quantity * power) if row.symbol == symbol else row
    )
    is_one = sum(row.symbol == symbol for row in at.world.books.fills) == 1
    return at.fault("unit multiplier wrong_quantity" if is_one else "unit multiplier", change)


def _lots(at: _Place) -> Fault:
    symbol, places = at.row.symbol, at.rng.choice([0, 1, 2])

    def changed(row: Fill) -> Fill:
        cut = rounded(row.quantity, places, ROUND_DOWN)
        return replace(row, quantity=cut) if row.symbol == symbol and cut else row

    return at.fault("rounding", _each(changed))


def _foreign_payment(at: _Place) -> Fault:
    size = D(at.rng.choice(["500", "1000", "12.5", "0.5"]))
    kind = at.rng.choice(["deposit", "interest", "transfer"])
    time = at.world.end - timedelta(seconds=1)
    row = Movement("m900", kind, time, at.thing.settlement, size)
    return at.fault("duplicate_movement foreign_activity", _more(row), row.id)


def _payment_lost(at: _Place) -> Fault | None:
    gone = at.payment
    return at.fault("missing_movement split", _less(gone.id), gone.id) if gone else None


def _payment_twice(at: _Place) -> Fault | None:
    if at.payment is None:
        return None
    copy = replace(at.payment, id=at.rng.choice([at.payment.id, f"{at.payment.id}b"]))
    return at.fault("duplicate_movement", _more(copy), at.payment.id, copy.id)


def _payment_turned(at: _Place) -> Fault | None:
    amount = at.payment and at.payment.amount
    return at.of_payment("wrong_movement", amount=-amount) if amount else None


def _payment_wrong(at: _Place) -> Fault | None:
    amount = at.payment and at.payment.amount
    if not amount:
        return None
    more = amount + at.rng.randrange(1, 90)
    return at.of_payment(
        "wrong_movement", amount=at.rng.choice([amount * 10, _digit(at.rng, amount), more])
    )


def _payments_turned(at: _Place) -> Fault | None:
    """All movements of one kind."""
    if at.payment is None or not at.payment.amount:
        return None
    kind = at.payment.kind
    ids = [row.id for row in at.world.books.movements if row.kind == kind and row.amount]

    def change(books: Books) -> Books:
        for row_id in ids:
            books = _payment(row_id, lambda old: replace(old, amount=-(old.amount or D(0))))(books)
        return books

    return at.fault("wrong_movement sign_convention", change, *ids)


def _payment_currency(at: _Place) -> Fault | None:
    held = sorted(set(at.world.books.cash) - {at.payment.currency if at.payment else None})
    if not held or at.payment is None or at.payment.amount is None:
        return None
    other = at.rng.choice(held)
    amount = rounded(at.payment.amount, at.places(other))
    return at.of_payment("wrong_movement conversion", currency=other, amount=amount)


def _set_opening(currency: str, amount: Decimal | None) -> ChangeRows:
    def apply(old: Books) -> Books:
        cash = {c: a for c, a in old.cash.items() if c != currency}
        return replace(old, cash=cash if amount is None else cash | {currency: amount})

    return apply


def _opening_lost(at: _Place) -> Fault | None:
    if not at.world.books.cash:
        return None
    currency = at.rng.choice(sorted(at.world.books.cash))
    return at.fault("opening_balance", _set_opening(currency, None))


def _opening_wrong(at: _Place) -> Fault | None:
    if not at.world.books.cash:
        return None
    currency = at.rng.choice(sorted(at.world.books.cash))
    held = at.world.books.cash[currency]
    more = held + at.rng.randrange(1, 2000)
    wrong = at.rng.choice([held * 10, held / 10, _digit(at.rng, held), more])
    wrong = rounded(wrong, at.places(currency))
    return at.fault("opening_balance", _set_opening(currency, wrong))


def _opening_position(at: _Place) -> Fault | None:
    held = at.world.books.positions
    if not held:
        return None
    gone = at.rng.choice(sorted(held))
    left = {key: value for key, value in held.items() if key != gone}
    return at.fault("opening_balance", lambda old: replace(old, positions=left))


def _opening_late(at: _Place) -> Fault | None:
    """The opening was taken after the first fill, which is booked again."""
    first = at.world.books.fills[0]
    after = at.world.figures(at.world.books.until(first.time), at.world.exchange)
    if at.world.instruments[first.symbol].kind not in {"spot", "fx"} or at.world.books.positions:
        return None
    positions = {key: (quantity, first.price) for key, quantity in after.positions.items()}
    return at.fault(
        "opening_balance orphan_fill duplicate_fill",
        lambda old: replace(old, cash=after.cash, positions=positions),
    )


MANY: Final[dict[str, Draw]] = {
    "all_fees": _all_fees,
    "outage": _outage,
    "behind": _behind,
    "cumulative": _cumulative,
    "merged": _merged,
    "tenfold": _tenfold,
    "lots": _lots,
}
MONEY: Final[dict[str, Draw]] = {
    "foreign_payment": _foreign_payment,
    "payment_lost": _payment_lost,
    "payment_twice": _payment_twice,
    "payment_turned": _payment_turned,
    "payment_wrong": _payment_wrong,
    "payments_turned": _payments_turned,
    "payment_currency": _payment_currency,
    "opening_lost": _opening_lost,
    "opening_wrong": _opening_wrong,
    "opening_position": _opening_position,
    "opening_late": _opening_late,
}
Change = Callable[[Decimal], Decimal]


def _figure(rng: Random, world: World, side: str) -> Fault | None:
    """A fault of stated figures alone."""
    shown = world.ledger if side == "internal" else world.exchange
    state = world.figures(world.books, shown)
    symbols = [key for key, amount in state.positions.items() if amount and shown.positions]
    currencies = [c for c, amount in state.cash.items() if amount and shown.cash]
    if not symbols and not currencies:
        return None
    key: Key | None = rng.choice(symbols) if symbols else None
    currency = rng.choice(currencies) if currencies else None
    if currency and (key is None or rng.random() < 0.5):
        key = None
    else:
        currency = None
    name = rng.choice([*FIGURES, "names", "netted"])
    if name == "names":
        return _renamed(side, key, currency)
    if name == "netted":
        kinds = frozenset({"netted_legs"})
        return Fault(name, side, kinds, state=_netted, always=True)
    kind, is_all, draw = FIGURES[name]
    unit = (
        world.instruments[key[0]].lot
        if key
        else D(1).scaleb(-world.precision.get(currency or "", 8))
    )
    change = draw(rng, unit)

    def is_meant(name: object) -> bool:
        mine = isinstance(name, tuple) == (key is not None)
        return name in {key, currency} or (is_all and mine)

    def apply(old: State) -> State:
        return State(
            {k: change(a) if is_meant(k) else a for k, a in old.positions.items()},
            {c: change(a) if is_meant(c) else a for c, a in old.cash.items()},
        )

    return Fault(name, side, frozenset(kind.split()), state=apply, always=bool(kind))


def _by(rng: Random, unit: Decimal) -> Change:
    size = unit * rng.choice([1, 1, 100, 12345]) * rng.randrange(1, 400) * rng.choice([1, -1])
    return lambda amount: amount + size


def _by_digit(rng: Random, _: Decimal) -> Change:
    seed = rng.random()
    return lambda amount: _digit(Random(seed), amount)


def _by_power(rng: Random, _: Decimal) -> Change:
    power = D(rng.choice(["10", "100", "0.1", "1000", "0.01"]))
    return lambda amount: amount * power


def _by_rounding(rng: Random, _: Decimal) -> Change:
    places, rounding = rng.choice([0, 1, 2]), rng.choice([ROUND_DOWN, ROUND_HALF_EVEN])
    return lambda amount: rounded(amount, places, rounding)


FIGURES: Final[dict[str, tuple[str, bool, Callable[[Random, Decimal], Change]]]] = {
    "figure": ("", False, _by),
    "figure_small": ("", False, _by),
    "figure_digit": ("", False, _by_digit),
    "figure_zero": ("clipped_balance", False, lambda *_: lambda _: D(0)),
    "figure_turned": ("sign_convention", False, lambda *_: lambda amount: -amount),
    "figures_turned": ("sign_convention", True, lambda *_: lambda amount: -amount),
    "figure_unit": ("unit", False, _by_power),
    "figures_unit": ("unit", True, _by_power),
    "figures_rounded": ("rounding", True, _by_rounding),
    "clipped": ("clipped_balance", True, lambda *_: lambda amount: max(amount, D(0))),
}


def _renamed(side: str, key: Key | None, currency: str | None) -> Fault:
    old = currency or (key or ("", ""))[0]
    new = f"X{old}" if currency else old.replace("/", "-") + ".V"

    def renamed(name: str | None) -> str | None:
        return new if name == old else name

    def apply(state: State) -> State:
        return State(
            {(renamed(symbol) or "", leg): a for (symbol, leg), a in state.positions.items()},
            {renamed(c) or "": a for c, a in state.cash.items()},
        )

    def listed(books: Books) -> Books:
        fills = tuple(
            replace(row, symbol=renamed(row.symbol) or "", fee_currency=renamed(row.fee_currency))
            for row in books.fills
        )
        payments = tuple(replace(row, currency=renamed(row.currency)) for row in books.movements)
        return replace(books, fills=fills, movements=payments)

    return Fault(
        "names", side, frozenset({"alias"}), frozenset(), listed,
        listed_only=True, state=apply, always=True, names=(old, new),
    )  # fmt: skip


def _netted(state: State) -> State:
    net: dict[Key, Decimal] = {}
    for (symbol, _), amount in state.positions.items():
        net[symbol, "NET"] = net.get((symbol, "NET"), D(0)) + amount
    return replace(state, positions=net)


def _multiplier(rng: Random, world: World) -> Fault | None:
    kinds = {"spot", "fx", "equity"}
    things = [thing for thing in world.instruments.values() if thing.kind not in kinds]
    if not things:
        return None
    thing = rng.choice(things)
    wrong = {thing.symbol: thing.multiplier * D(rng.choice(["10", "0.1", "2", "100"]))}
    return Fault("multiplier", "internal", frozenset({"multiplier", "unit"}), multipliers=wrong)


def _drawn(rng: Random, world: World) -> Fault | None:
    """A fault that the session can have."""
    states = world.ledger.positions or world.ledger.cash
    if not world.ledger.fills:
        return _figure(rng, world, "internal")
    lot = rng.random()
    if lot < 0.08:
        return _named(rng, world, "external", "behind", MANY)
    if lot < 0.25:
        return _figure(rng, world, rng.choice(["external", "internal"] if states else ["external"]))
    if lot < 0.27:
        return _multiplier(rng, world)
    if lot < 0.40 and (world.exchange.fills or world.exchange.movements):
        return _of_the_list(rng, world)
    return _of_rows(rng, world, "internal")


def _named(
    rng: Random, world: World, side: str, name: str, family: Mapping[str, Draw]
) -> Fault | None:
    made = family[name](_Place(rng, world, side))
    return replace(made, name=name) if made else None


def _of_rows(rng: Random, world: World, side: str) -> Fault | None:
    family = rng.choice([FILLS, FILLS, FILLS, MANY, MONEY])
    return _named(rng, world, side, rng.choice(list(family)), family)


def _of_the_list(rng: Random, world: World) -> Fault | None:
    """The exchange's list is wrong and its figures are right; or the list ends early."""
    fills = world.books.fills
    if rng.random() < 0.2 and len(fills) > 1:
        end = fills[-rng.randrange(1, len(fills))].time - timedelta(microseconds=1)
        kinds = frozenset({"missing_fill", "orphan_fill", "stale_side"})
        return Fault(
            "list_ends", "external", kinds, rows=lambda old: old.until(end), listed_only=True
        )
    made = _of_rows(rng, world, "external")
    if made is None or made.rows is None or made.name.startswith("opening"):
        return None
    return replace(made, name=f"list_{made.name}", listed_only=True)


def _is_hidden(fault: Fault, other: Fault) -> bool:
    """True if two faults are of one kind, or of a row that their side does not have any more."""
    of_one_side = fault.side == other.side and bool(fault.ids & other.ids)
    is_behind = "behind" in (fault.name, other.name)
    return fault.name == other.name or (of_one_side and is_behind)


def drawn(seed: int, world: World) -> Case:
    """One or two faults of the session of a seed."""
    rng = Random(f"faults {seed}")
    count = rng.choice([1, 1, 2])
    faults: list[Fault] = []
    for _ in range(40):
        fault = _drawn(rng, world)
        if fault is not None and not any(_is_hidden(fault, other) for other in faults):
            faults.append(fault)
        if len(faults) == count:
            break
    return Case(world, tuple(faults))
