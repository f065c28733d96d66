"""Matching: fills and orders of both sides by their ids, movements by their sums.

Source of the rules: design, "Orders and fills".

As in pairing, names are made of ids and never of values. Only where a kind has more
comparisons than `max_items`, the rows decide which of them are items of their own: those
that differ, whatever the policy says of them. The equal ones then are one item.

Everything is linear in the rows; a row that is equal on both sides costs two look-ups and a
comparison of two tuples.
"""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Final

from recon_core.compare.accounts import accounts_are_one
from recon_core.compare.groups import Grouped, grouped
from recon_core.compare.keys import (
    encode_key,
    float_sides,
    position_unit,
    session_time,
)
from recon_core.compare.rows.aggregation import (
    MovementKey,
    Trades,
    movement_groups,
    movement_key,
    unlisted_movements,
)
from recon_core.compare.rows.fill_rules import same_fill
from recon_core.compare.rows.order_links import (
    CLIENT,
    EXCHANGE,
    LinkedOrders,
    OrderKey,
    linked_orders,
)
from recon_core.compare.rows.order_rules import order_findings
from recon_core.compare.rows.renamed_fills import with_renamed_fills
from recon_core.model import (
    Fill,
    LedgerSide,
    RecordedSession,
)
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.fill_table import are_the_same, table_of
from recon_core.model.matched_rows import (
    EqualRows,
    FillGroup,
    MatchedFills,
    MatchedMovements,
    MatchedOrder,
    MovementGroup,
)
from recon_core.model.movement_table import movement_table_of
from recon_core.model.row_table import UnequalRows
from recon_core.policy.settings import DEFAULT_MAX_ITEMS

FOLDED_KEY: Final = "equal"

_Key = tuple[Any, ...]
_Unlike = tuple[_Key, Fill, Fill | None]
"""Key and row of one side, and the row of the other side: another object, or none."""
_FILL_KEY: Final = attrgetter("account", "symbol", "fill_id")
_FILL_KEY_PLAIN: Final = attrgetter("symbol", "fill_id")


@dataclass(frozen=True, slots=True)
class Matching:
    """Result of matching: comparisons, notes for the reader, and folded items.

    `folded` maps a kind to the number of comparisons that its one item represents.
    """

    comparisons: tuple[Comparison, ...] = ()
    notes: tuple[str, ...] = ()
    folded: Mapping[str, int] = field(default_factory=dict)


def match(recorded: RecordedSession, max_items: int = DEFAULT_MAX_ITEMS) -> Matching:
    """All comparisons of fills, orders and movements of a session, unsorted.

    A kind with more than `max_items` of them has its equal ones folded.
    """
    if recorded.internal is None or recorded.external is None or recorded.mirrored:
        return Matching()
    as_of, plain = session_time(recorded), accounts_are_one(recorded)
    matcher = _Matcher(recorded, plain, max_items, as_of, float_sides(recorded))
    notes = same_source_notes(recorded)
    fills, renamed = with_renamed_fills(matcher.fills(), plain=plain)
    notes += renamed
    comparisons = [*fills, *matcher.orders(notes), *matcher.movements()]
    notes += [_folded_note(kind, count, max_items) for kind, count in matcher.folded.items()]
    return Matching(tuple(comparisons), tuple(notes), matcher.folded)


def same_source_notes(recorded: RecordedSession) -> list[str]:
    """A note on every table that both sides took from one place: it proves nothing."""
    return [
        f"{section}: both sides were read from one source and are not compared with themselves"
        for section in ("orders", "fills")
        if recorded.shares(section)
    ]


def _folded_note(kind: str, count: int, max_items: int) -> str:
    return (
        f"{kind}s: {count} that are equal on both sides are one item, called {FOLDED_KEY!r}: "
        f"there are more than {max_items}"
    )


@dataclass(slots=True)
class _Matcher:
    """Makes the comparisons of one session."""

    recorded: RecordedSession
    plain: bool
    max_items: int
    as_of: datetime | None
    float_sides: frozenset[LedgerSide]
    folded: dict[str, int] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    groups: dict[_Key, FillGroup] = field(default_factory=dict)
    findings: set[_Key] = field(default_factory=set)

    def fills(self) -> Iterable[Comparison]:
        ours, theirs = (
            None if side is None else side.fills
            for side in (self.recorded.internal, self.recorded.external)
        )
        if ours is None or theirs is None or self.recorded.shares("fills"):
            return []
        of_table = table_of(ours).unequal(table_of(theirs), plain=self.plain)
        if of_table is not None:
            mine, others = self._grouped(of_table.internal, of_table.external)
            if of_table.equal + len(_all_keys(mine, others)) > self.max_items:
                return self._few_fills(mine, others, of_table)
        mine, others = self._grouped(ours, theirs)
        # Nearly always one side alone has more, and the keys need not be counted.
        if len(mine.single) > self.max_items:
            return self._few_fills(mine, others)
        keys = _all_keys(mine, others)
        if len(keys) > self.max_items:
            return self._few_fills(mine, others)
        self._find_groups(mine, others, _other_rows(mine, others))
        return [self._fill(key, mine, others) for key in keys]

    def _grouped(
        self, ours: Sequence[Fill], theirs: Sequence[Fill]
    ) -> tuple[Grouped[Fill], Grouped[Fill]]:
        key_of = _FILL_KEY_PLAIN if self.plain else _FILL_KEY
        mine = grouped(ours, key_of)
        return mine, mine if are_the_same(ours, theirs) else grouped(theirs, key_of)

    def _find_groups(
        self, mine: Grouped[Fill], others: Grouped[Fill], unlike: list[_Unlike]
    ) -> None:
        """Find the trades that the sides list in a different number of rows.

        The finding of a trade is that of its first key on the side with fewer rows, so that it
        is the same with the sides exchanged.
        """
        left = _listed_otherwise(unlike, others)
        if not left:
            return
        key_of = _FILL_KEY_PLAIN if self.plain else _FILL_KEY
        trades = Trades(self.recorded, self.plain)
        for group in trades.groups(left, _listed_otherwise(_other_rows(others, mine), mine)):
            self.groups |= {key_of(row): group for row in group.rows}
            fewer = min(group.internal, group.external, key=len)
            self.findings.add(min(map(key_of, fewer), key=str))

    def _few_fills(
        self,
        mine: Grouped[Fill],
        others: Grouped[Fill],
        of_table: UnequalRows | None = None,
    ) -> Iterator[Comparison]:
        """Yield the fills that differ, and one item for the equal fills.

        Of tables in columns only the rows that differ are there, and `of_table` has the others.
        """
        unlike = _other_rows(mine, others)
        self._find_groups(mine, others, unlike)
        differing = [
            key for key, ours, other in unlike if other is None or not same_fill(ours, other)
        ]
        equal = _without(mine.single, differing)
        differing += mine.repeated
        if differing or others.repeated or len(mine.single) < len(others.single):
            known = mine.all_keys()
            differing += [key for key in others.all_keys() if key not in known]
        for key in differing:
            yield self._fill(key, mine, others)
        assert not (equal and of_table)  # noqa: S101  # columns find all that are equal
        yield self._folded(ItemKind.FILL, EqualRows(tuple(equal), of_table))

    def orders(self, notes: list[str]) -> Iterable[Comparison]:
        linked = linked_orders(self.recorded, plain=self.plain, max_items=self.max_items)
        if linked is None:
            return []
        notes += linked.notes
        if linked.count <= self.max_items:
            keys = linked.orders.keys()
            return [self._order(key, matched, keys) for key, matched in linked.matched()]
        return self._few_orders(linked)

    def _few_orders(self, linked: LinkedOrders) -> Iterator[Comparison]:
        """Yield the orders that differ, and one item for the equal orders."""
        equal, keys = [], linked.orders.keys()
        for key, matched in linked.matched():
            if order_findings(matched):
                yield self._order(key, matched, keys)
            else:
                equal.append((matched.internal or matched.external or ())[0])
        yield self._folded(ItemKind.ORDER, linked.equal(equal))

    def movements(self) -> Iterator[Comparison]:
        """Yield a comparison for each kind of movement that the sides list in other periods."""
        ours, theirs = (
            None if side is None else side.movements
            for side in (self.recorded.internal, self.recorded.external)
        )
        if not ours or not theirs or self.recorded.shares("movements"):
            return
        table, other = movement_table_of(ours), movement_table_of(theirs)
        left = unlisted_movements(*table.unlike(other, plain=self.plain), plain=self.plain)
        counts = [Counter(movement_key(row, plain=self.plain) for row in rows) for rows in left]
        for key, groups in movement_groups(*left, plain=self.plain).items():
            yield self._movement(key, groups, [count[key] for count in counts])

    def _movement(
        self, key: MovementKey, groups: Sequence[MovementGroup], counts: Sequence[int]
    ) -> Comparison:
        kind, currency, symbol, account = key
        matched = MatchedMovements(tuple(groups))
        left = counts[0] - len(matched.internal), counts[1] - len(matched.external)
        of_currency = f",{encode_key(currency)}" if currency else ""
        of_symbol = f",symbol={encode_key(symbol)}" if symbol else ""
        return Comparison(
            item_kind=ItemKind.MOVEMENT,
            key=f"{kind}{of_currency}{of_symbol}{_account(account)}",
            name=" ".join(filter(None, (kind, currency, symbol and f"of {symbol}"))),
            as_of=self.as_of,
            unit=currency or self._unit(symbol or ""),
            matched=replace(matched, left=left),
        )

    def _fill(self, key: _Key, mine: Grouped[Fill], others: Grouped[Fill]) -> Comparison:
        *account, symbol, fill_id = key
        return Comparison(
            item_kind=ItemKind.FILL,
            key=f"{encode_key(symbol)},{encode_key(fill_id)}{_account(*account)}",
            name=f"{fill_id} of {symbol}",
            as_of=self.as_of,
            unit=self._unit(symbol),
            matched=MatchedFills(
                mine.all(key),
                others.all(key),
                self.float_sides,
                self.groups.get(key),
                has_finding=key in self.findings,
            ),
        )

    def _order(self, key: OrderKey, matched: MatchedOrder, keys: Container[OrderKey]) -> Comparison:
        account, id_kind, order_id = key
        text = _order_key_text(order_id)
        if id_kind == EXCHANGE and (account, CLIENT, order_id) in keys:
            text += ",id=exchange"
        rows = matched.internal or matched.external or ()
        return Comparison(
            item_kind=ItemKind.ORDER,
            key=text + _account(account),
            name=order_id,
            as_of=self.as_of,
            unit=self._unit(rows[0].symbol),
            matched=matched,
        )

    def _unit(self, symbol: str) -> str:
        known = self.units.get(symbol)
        if known is None:
            known = self.units[symbol] = position_unit(symbol, self.recorded.instruments)
        return known

    def _folded(self, item_kind: ItemKind, rows: EqualRows) -> Comparison:
        self.folded[str(item_kind)] = rows.count
        return Comparison(item_kind, FOLDED_KEY, FOLDED_KEY, self.as_of, matched=rows)


def _all_keys(mine: Grouped[Fill], others: Grouped[Fill]) -> dict[_Key, object]:
    """Every key of either side, in a settled order."""
    keys = mine.all_keys()
    keys.update(others.all_keys())
    return keys


def _other_rows(rows: Grouped[Fill], others: Grouped[Fill]) -> list[_Unlike]:
    """Return the rows of unique keys, but for those that were read once for both sides."""
    if rows is others:
        return []
    keys, ours = rows.single, list(rows.single.values())
    theirs = list(map(others.single.get, keys))
    return list(compress(zip(keys, ours, theirs, strict=True), map(is_not, ours, theirs)))


def _listed_otherwise(unlike: list[_Unlike], others: Grouped[Fill]) -> list[Fill]:
    """Return the fills that the other side does not list, or lists with another quantity.

    A fill of an id that a side lists more than once is none of them: it is a duplicate.
    """
    return [
        row
        for key, row, other in unlike
        if (other is None or other.quantity != row.quantity) and key not in others.repeated
    ]


def _without(rows: Mapping[_Key, Fill], keys: Iterable[_Key]) -> list[Fill]:
    """Return the rows of all other keys, in their order."""
    left_out = set(keys)
    if not left_out:
        return list(rows.values())
    return [row for key, row in rows.items() if key not in left_out]


def _account(account: str | None = None) -> str:
    return "" if account is None else f",account={encode_key(account)}"


def _order_key_text(order_id: str) -> str:
    """The id, encoded; one that reads like the folded item's key is encoded further.

    A fill's key always has a comma and so is never taken for it.
    """
    if order_id == FOLDED_KEY:
        return f"%{ord(order_id[0]):02X}{order_id[1:]}"
    return encode_key(order_id)
