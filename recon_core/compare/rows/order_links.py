"""Links between rows of one order, and from fills to orders (design, "Orders and fills").

An order is named by its `client_order_id`, else by its `exchange_order_id`. Two orders that
only one side has each, and that share an exchange id, are one order: one side may not know
the client's id. A fill names its order by either id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from recon_core.compare.groups import grouped
from recon_core.compare.keys import float_sides
from recon_core.model import Fill, LedgerSide, Order, RecordedSession
from recon_core.model.fill_table import table_of
from recon_core.model.matched_rows import EqualRows, MatchedOrder
from recon_core.model.order_table import SideFills, UnequalOrders, order_table_of
from recon_core.model.row_table import UnequalRows
from recon_core.values.printable import printable

CLIENT: Final = "client"
EXCHANGE: Final = "exchange"
_MOST_SHOWN: Final = 3
"""Symbols that a note lists; more are counted."""

OrderKey = tuple[str | None, str, str]
"""Account (`None` where it is not named), the kind of the id, and the id."""

_Rows = tuple[Order, ...]
_Groups = dict[OrderKey, _Rows]
_Merged = dict[OrderKey, tuple[_Rows | None, _Rows | None]]


@dataclass(frozen=True, slots=True)
class LinkedOrders:
    """Every order of a session with its rows and its fills on both sides.

    A side without orders has `None`; so has one whose fills do not name their orders,
    or that reports none. Of tables in columns only the orders are there that are no match beyond
    doubt, and `of_table` has the others.
    """

    orders: "_Merged"
    links: tuple["FillLinks | None", "FillLinks | None"]
    notes: list[str]
    float_sides: frozenset[LedgerSide]
    of_table: UnequalOrders | None = None

    @property
    def count(self) -> int:
        """The number of all orders."""
        return len(self.orders) + (0 if self.of_table is None else self.of_table.equal)

    def equal(self, rows: Sequence[Order]) -> EqualRows:
        """Return all equal orders, of which `rows` are those that are there."""
        table = self.of_table
        if table is None:
            return EqualRows(tuple(rows))
        kept = set(map(id, rows))
        differing = tuple(row for row in table.internal if id(row) not in kept)
        digest = partial(table.digest_without, differing)
        unequal = UnequalRows(differing, table.external, table.equal + len(rows), digest)
        return EqualRows((), unequal)

    def matched(self) -> Iterator[tuple[OrderKey, MatchedOrder]]:
        """The orders one by one, with what there is to compare."""
        for key, (ours, theirs) in self.orders.items():
            rows = (*(ours or ()), *(theirs or ()))
            fills = [None if link is None else link.of(key, rows) for link in self.links]
            yield key, MatchedOrder(ours, theirs, fills[0], fills[1], self.float_sides)


@dataclass(slots=True)
class FillLinks:
    """The fills of one side by the order that they name.

    `unnamed` are the symbols that have fills which name no order, so that the sum of an
    order's fills would prove nothing; `unlisted` counts the fills that name an order
    which no side lists.
    """

    by_order: dict[OrderKey, list[Fill]] = field(default_factory=dict)
    unnamed: set[str] = field(default_factory=set)
    unlisted: int = 0
    fills: int = 0

    def of(self, key: OrderKey, rows: Iterable[Order]) -> tuple[Fill, ...] | None:
        """Return the fills of an order given by its rows, `None` where they are unknown."""
        if self.unnamed and any(order.symbol in self.unnamed for order in rows):
            return None
        return tuple(self.by_order.get(key, ()))


def linked_orders(recorded: RecordedSession, *, plain: bool, max_items: int) -> LinkedOrders | None:
    """The orders to compare; `None` where there is nothing to compare them with.

    They are compared where both sides report orders, and where one does and the other
    reports fills that say what was filled. `plain` leaves the accounts unnamed. All rows are there
    where there are no more orders than `max_items`.
    """
    if recorded.internal is None or recorded.external is None or not orders_compare(recorded):
        return None
    orders = recorded.internal.orders, recorded.external.orders
    fills = recorded.internal.fills, recorded.external.fills
    sides = float_sides(recorded)
    if orders[0] is not None and orders[1] is not None:
        table, other = map(order_table_of, orders)
        found = table.unequal(other, fills, plain=plain)
        if found is not None:
            of_found = (found.internal, found.external)
            linked = _linked(of_found, found.fills, sides, plain=plain)
            if linked.count + found.equal > max_items:
                return replace(linked, of_table=found)
    of_sides = [None if rows is None else SideFills(rows, frozenset(), len(rows)) for rows in fills]
    return _linked(orders, (of_sides[0], of_sides[1]), sides, plain=plain)


def _linked(
    orders: tuple[Sequence[Order] | None, Sequence[Order] | None],
    fills: tuple[SideFills | None, SideFills | None],
    sides: frozenset[LedgerSide],
    *,
    plain: bool,
) -> LinkedOrders:
    groups = [None if rows is None else _groups(rows, plain=plain) for rows in orders]
    merged = _merged(*groups)
    names = _names(merged, plain=plain)
    links = [None if each is None else _links(each, names, plain=plain) for each in fills]
    return LinkedOrders(merged, (links[0], links[1]), _notes(links), sides)


def orders_compare(recorded: RecordedSession) -> bool:
    """True if both sides report orders, or one does and the other's fills name orders."""
    if recorded.internal is None or recorded.external is None or recorded.shares("orders"):
        return False
    internal, external = recorded.internal, recorded.external
    if internal.orders is not None and external.orders is not None:
        return True
    if internal.orders is None and external.orders is None:
        return False
    fills = external.fills if external.orders is None else internal.fills
    return fills is not None and (not fills or table_of(fills).names_an_order())


def _names_order(fill: Fill) -> bool:
    return bool(fill.order_id)


def _groups(rows: Sequence[Order], *, plain: bool) -> _Groups:
    found = grouped(rows, partial(_key, plain=plain))
    return {key: found.all(key) for key in found.all_keys()}


def _key(order: Order, *, plain: bool) -> OrderKey:
    account = None if plain else order.account
    if order.client_order_id:
        return account, CLIENT, order.client_order_id
    return account, EXCHANGE, order.exchange_order_id or ""


def _merged(ours: _Groups | None, theirs: _Groups | None) -> _Merged:
    """The orders of both sides by one key each."""
    if ours is None or theirs is None:
        rows = theirs if ours is None else ours
        one_sided = (rows or {}).items()
        return {key: (None, own) if ours is None else (own, None) for key, own in one_sided}
    renamed = _same_exchange_id(ours, theirs)
    theirs = {renamed.get(key, key): rows for key, rows in theirs.items()}
    merged = {key: (rows, theirs.get(key, ())) for key, rows in ours.items()}
    merged |= {key: ((), rows) for key, rows in theirs.items() if key not in merged}
    return {_client_key(key, *rows): rows for key, rows in merged.items()}


def _client_key(key: OrderKey, ours: _Rows, theirs: _Rows) -> OrderKey:
    """The key by the client's id, where any side knows it."""
    if key[1] == EXCHANGE:
        for row in (*ours, *theirs):
            if row.client_order_id:
                return key[0], CLIENT, row.client_order_id
    return key


def _same_exchange_id(ours: _Groups, theirs: _Groups) -> dict[OrderKey, OrderKey]:
    """For orders of theirs that ours lack: those of ours with the same exchange id.

    An exchange id that two orders of a side share joins nothing.
    """
    lonely = _by_exchange_id({key: rows for key, rows in ours.items() if key not in theirs})
    others = _by_exchange_id({key: rows for key, rows in theirs.items() if key not in ours})
    renamed: dict[OrderKey, OrderKey] = {}
    taken: set[OrderKey] = set()
    for exchange_id in sorted(others.keys() & lonely.keys(), key=str):
        key, own = others[exchange_id], lonely[exchange_id]
        if key is not None and own is not None and key not in renamed and own not in taken:
            renamed[key] = own
            taken.add(own)
    return renamed


def _by_exchange_id(groups: _Groups) -> dict[tuple[str | None, str], OrderKey | None]:
    """The order of each exchange id, `None` where there are several."""
    found: dict[tuple[str | None, str], OrderKey | None] = {}
    for key, rows in groups.items():
        for exchange_id in {row.exchange_order_id for row in rows if row.exchange_order_id}:
            name = (key[0], exchange_id)
            found[name] = None if name in found else key
    return found


def _names(merged: _Merged, *, plain: bool) -> dict[OrderKey, OrderKey | None]:
    """Every id that a fill may name → its order, `None` where it could be several."""
    names: dict[OrderKey, OrderKey | None] = {}
    for key, (ours, theirs) in merged.items():
        for row in (*(ours or ()), *(theirs or ())):
            account = None if plain else row.account
            for kind, name in (
                (CLIENT, row.client_order_id),
                (EXCHANGE, row.exchange_order_id),
            ):
                if name and names.setdefault((account, kind, name), key) != key:
                    names[account, kind, name] = None
    return names


def _links(
    fills: SideFills, names: Mapping[OrderKey, OrderKey | None], *, plain: bool
) -> FillLinks:
    links = FillLinks(unnamed=set(fills.unnamed), fills=fills.count)
    by_order, unknown = links.by_order, (None, "", "")
    for fill in fills.rows:
        account = None if plain else fill.account
        key: OrderKey | None = unknown
        if fill.client_order_id:
            key = names.get((account, CLIENT, fill.client_order_id), unknown)
        if fill.exchange_order_id:
            other = names.get((account, EXCHANGE, fill.exchange_order_id), unknown)
            if key is unknown:
                key = other
            elif key and other and other is not unknown and other != key:
                # It names two orders, and is held against both.
                by_order.setdefault(other, []).append(fill)
        if key is None or not _names_order(fill):
            links.unnamed.add(fill.symbol)
        elif key is unknown:
            links.unlisted += 1
        elif key in by_order:
            by_order[key].append(fill)
        else:
            by_order[key] = [fill]
    return links


def _notes(links: list[FillLinks | None]) -> list[str]:
    notes = []
    for side, link in zip(LedgerSide, links, strict=True):
        if link is None:
            continue
        if link.unlisted:
            of_all = f"{link.unlisted} of {link.fills} fills"
            notes.append(f"{side}: {of_all} name an order that no side lists")
        if link.unnamed:
            symbols = sorted(link.unnamed)
            shown = ", ".join(printable(symbol, 60) for symbol in symbols[:_MOST_SHOWN])
            more = len(symbols) - _MOST_SHOWN
            and_more = f" and {more} more" if more > 0 else ""
            notes.append(
                f"{side}: not every fill of {shown}{and_more} names its order; "
                "their sum is not held against orders"
            )
    return notes
