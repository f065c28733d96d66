"""Facts about a difference that no cause is proven for, in words that are safe to print.

The category of cash in which it lies, the snapshot since which it is there, what one side states
against its own rows, the rows that only one side lists, and the amount itself. With "cash USD
differs in fees: internal 0.00, external -28.84" a reader knows where to look.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from operator import attrgetter
from typing import Final

from recon_core.compare.rows.row_texts import fill_text, order_text
from recon_core.explain.problem.dimensions import (
    Vector,
    account_of,
    add_to,
    currency_of,
    is_cash,
    is_position,
    without_account,
)
from recon_core.explain.problem.hypotheses import Row
from recon_core.explain.problem.market import paid_in
from recon_core.explain.problem.postings import Postings, postings_of
from recon_core.explain.problem.precision import FeePrecision
from recon_core.explain.proof.prover import Prover, open_diffs
from recon_core.judging.rows import row_findings
from recon_core.ledger.replay import with_named_account
from recon_core.ledger.timeline import in_order
from recon_core.model import (
    CashBalance,
    Fill,
    InstrumentKind,
    LedgerSide,
    Order,
    OrderSide,
    SideRecord,
)
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.model.matched_rows import MatchedFills, MatchedOrder
from recon_core.values.amounts import (
    EXACT,
    ZERO,
    decimal_places,
    exact_sum,
    format_amount,
)
from recon_core.values.printable import printable
from recon_core.values.times import format_time

_QUANTITY: Final = attrgetter("quantity")

_MOST: Final = 3
"""Facts of one sort that are listed: a reader starts with the first ones."""

_ROUND_DIGITS: Final = 2
"""Most significant digits of a round amount: trades and fees rarely leave so few."""

_ROUND_UNITS: Final = 100
"""Units of the last decimal that a round amount is a multiple of: 12.00 is, 0.12 is not."""


def known_facts(prover: Prover, left: Vector) -> tuple[str, ...]:
    """Return what is known of the differences of a session, `left` of which is not explained."""
    found = sorted(
        open_diffs(prover.reconciliation, prover.dimensions), key=lambda one: one.identity
    )
    facts = [
        *_first(_where(prover, found)),
        *_first(_own_contradictions(prover, found)),
        *_first(_rows(found)),
        *_first(_other_accounts(prover)),
        *_first(_overdrawn(prover, left)),
        *_first(_amount(prover, left)),
        *_first(_of_sources(prover)),
    ]
    return tuple(dict.fromkeys(facts))


def precision_facts(prover: Prover, delta: Vector) -> tuple[str, ...]:
    """Return the decimals of fees that were inferred, of the balances that differ."""
    recorded = prover.recorded
    paid = {currency_of(name) for name in delta if is_cash(name)} - recorded.currencies.keys()
    for side, record in recorded.own_records().items() if paid else ():
        found = FeePrecision(recorded.currencies, record).inferred
        shown = sorted(paid & found.keys())
        if shown:
            return tuple(
                f"fees in {printable(currency, 60)} are taken to be rounded to {found[currency]} "
                f"decimals, as those of {side} have at most; the session declares no precision"
                for currency in shown[:_MOST]
            )
    return ()


def _first(facts: Iterable[str]) -> list[str]:
    """Return the first facts of one sort; later ones are not even looked for."""
    first = list(islice(facts, _MOST + 1))
    return first if len(first) <= _MOST else [*first[:_MOST], "and more of that sort"]


def _subject(comparison: Comparison) -> str:
    return printable(comparison.identity.replace("::", " ", 1), 100)


def _where(prover: Prover, found: Sequence[Comparison]) -> Iterator[str]:
    """Yield the category in which cash differs, and since when a position or a balance does."""
    for comparison in found:
        if comparison.item_kind in {ItemKind.POSITION, ItemKind.CASH}:
            for fact in prover.reconciliation.facts(comparison):
                yield f"{_subject(comparison)}: {fact}"


def _own_contradictions(prover: Prover, found: Sequence[Comparison]) -> Iterator[str]:
    """Yield what a side states against its own rows, with the row whose other figure gives it."""
    for comparison in found:
        side, stated, given = comparison.side, comparison.internal, comparison.external
        if comparison.item_kind is not ItemKind.LEDGER or side is None:
            continue
        if not isinstance(stated or given, CashBalance):
            continue
        amounts = [row.total if isinstance(row, CashBalance) else ZERO for row in (stated, given)]
        unit = printable(comparison.unit, 60)
        booked = _booked_otherwise(prover, side, comparison, EXACT.subtract(*amounts))
        yield (
            f"{side} contradicts itself: it states {format_amount(amounts[0])} {unit}, "
            f"and its rows give {format_amount(amounts[1])}{booked}"
        )


def _booked_otherwise(
    prover: Prover, side: LedgerSide, comparison: Comparison, excess: Decimal
) -> str:
    """Describe the fill whose cash, booked for the quantity of another one, gives an excess.

    Empty without such a fill of spot, or with several. A BUY of 7993 at 1.1501 that is booked for
    268 leaves 8884.52 too much.
    """
    record = prover.recorded.side(side)
    found = [] if record is None else list(_swapped(prover, record, comparison, excess))
    if len(found) != 1:
        return ""
    fill, quantity, other = found[0]
    return (
        f": as if {_name(fill)} of {format_amount(fill.quantity)} had moved cash for "
        f"{format_amount(quantity)}, the quantity of {_name(other)}"
    )


def _name(fill: Fill) -> str:
    return f"fill {printable(fill.fill_id, 60)}"


def _swapped(
    prover: Prover, record: SideRecord, comparison: Comparison, excess: Decimal
) -> Iterator[tuple[Fill, Decimal, Fill]]:
    """Yield each fill with the quantity of another one of its symbol that gives the excess."""
    recorded = prover.recorded
    declared = recorded.currencies.get(comparison.name)
    places = decimal_places(excess) if declared is None else declared.precision
    margin = Fraction(1, 2 * 10**places)
    for fills in _bought_for(prover, record, comparison.name):
        ordered = sorted(fills, key=_QUANTITY)
        quantities = [Fraction(one.quantity) for one in ordered]
        for fill in fills:
            price, over = Fraction(fill.price), Fraction(excess)
            moved = price * Fraction(fill.quantity)
            moved += over if fill.side is OrderSide.SELL else -over
            at = bisect_left(quantities, (moved - margin) / price)
            if at < len(ordered) and quantities[at] <= (moved + margin) / price:
                yield fill, ordered[at].quantity, ordered[at]


def _bought_for(prover: Prover, record: SideRecord, currency: str) -> Iterable[list[Fill]]:
    """Return the fills of each spot symbol that is paid in a currency."""
    paid = {
        symbol
        for symbol, one in prover.recorded.instruments.items()
        if one.instrument_kind is InstrumentKind.SPOT and one.quote == currency
    }
    found: dict[str, list[Fill]] = {}
    for fill in record.fill_rows:
        if fill.symbol in paid and fill.price:
            found.setdefault(fill.symbol, []).append(fill)
    return found.values()


def _rows(found: Sequence[Comparison]) -> Iterator[str]:
    """Yield the fills and the orders that differ, with what differs and the row itself."""
    for comparison in found:
        matched = comparison.matched
        if isinstance(matched, MatchedFills | MatchedOrder):
            rows = (*(matched.external or ()), *(matched.internal or ()))
            texts = ", ".join(dict.fromkeys(each.text for each in row_findings(matched)))
            shown = f" ({_row_text(rows[0])})" if rows else ""
            yield f"{comparison.item_kind} {printable(comparison.name, 100)}: {texts}{shown}"


def _row_text(row: Fill | Order) -> str:
    if isinstance(row, Fill):
        return fill_text(row)
    average = row.average_fill_price
    price = "" if average is None else f", at {format_amount(average)} on average"
    return f"{order_text(row)}{price}"


def _other_accounts(prover: Prover) -> Iterator[str]:
    """Yield the amounts that the sides name in other accounts, and that are equal in sum."""
    records = prover.recorded.own_records()
    states = {side: prover.dimensions.stated(record) for side, record in records.items()}
    if len(states) < len(LedgerSide):
        return
    ours, theirs = map(_by_name, states.values())
    for name in sorted(ours.keys() & theirs.keys()):
        mine, others = ours[name], theirs[name]
        total = exact_sum(mine.values())
        if mine.keys() != others.keys() and total == exact_sum(others.values()):
            shown = ", ".join(
                f"{side} in {_accounts(part)}"
                for side, part in zip(states, (mine, others), strict=True)
            )
            yield (
                f"{printable(name.replace('::', ' ', 1), 100)}: all accounts add up to "
                f"{format_amount(total)} on both sides ({shown})"
            )


def _by_name(state: Vector) -> dict[str, dict[str, Decimal]]:
    """Return the amounts of a state that are not 0 by their dimension without the account."""
    found: dict[str, dict[str, Decimal]] = {}
    for each, amount in state.items():
        if amount:
            found.setdefault(without_account(each), {})[each] = amount
    return found


def _accounts(parts: Iterable[str]) -> str:
    named = map(account_of, sorted(parts))
    return " and ".join(printable(name, 60) or "an unnamed one" for name in named)


def _overdrawn(prover: Prover, left: Vector) -> Iterator[str]:
    """Yield the balances that rows take below nothing, where the other side's is not below it."""
    recorded, dimensions = prover.recorded, prover.dimensions
    for side, record in recorded.own_records().items():
        other = recorded.side(side.other)
        if record.opening is None or other is None or other.cash is None:
            continue
        stated = dimensions.stated(other)
        wanted = {name for name in left if is_cash(name) and stated.get(name, ZERO) >= 0}
        postings = postings_of(recorded, dimensions, with_named_account(record))
        if wanted and not any(map(postings.derivative, recorded.instruments)):
            for row, name, before, taken in _below_nothing(postings, record, wanted):
                unit = printable(currency_of(name), 60)
                lacking = EXACT.subtract(taken, before)
                yield (
                    f"{side}'s rows take {format_amount(taken)} {unit} out of "
                    f"{format_amount(before)} at {format_time(row.time)}: before that, income or "
                    f"opening of at least {format_amount(lacking)} is missing"
                )


def _below_nothing(
    postings: Postings, record: SideRecord, wanted: set[str]
) -> Iterator[tuple[Row, str, Decimal, Decimal]]:
    """Yield the first row that takes each balance below 0, the balance before, and its amount."""
    named = with_named_account(record)
    balance = {} if named.opening is None else postings.opening(named.opening)
    for row in in_order(named.fill_rows, named.movement_rows):
        effect = postings.fill(row) if isinstance(row, Fill) else postings.movement(row)
        for name in wanted & effect.keys():
            before = balance.get(name, ZERO)
            add_to(balance, name, effect[name])
            if balance[name] < 0 <= before:
                wanted = wanted - {name}
                yield row, name, before, effect[name].copy_abs()


def _amount(prover: Prover, left: Vector) -> Iterator[str]:
    """Yield the rows that have the amount of a single balance; of a round one that none has."""
    if len(left) != 1 or any(map(is_position, left)):
        return
    ((name, signed),) = left.items()
    amount, currency = signed.copy_abs(), currency_of(name)
    shown = f"{format_amount(amount)} {printable(currency, 60)}"
    rows = [
        f"{shown} is {what}"
        for record in prover.recorded.own_records().values()
        for what in _rows_of(prover, record, currency, amount)
    ]
    yield from rows
    digits = len(EXACT.normalize(amount).as_tuple().digits)
    unit = Decimal(_ROUND_UNITS).scaleb(-decimal_places(amount), EXACT)
    if not rows and digits <= _ROUND_DIGITS and not EXACT.remainder(amount, unit):
        yield f"a round {shown} and no row of it: a deposit, a withdrawal or the opening"


def _rows_of(prover: Prover, record: SideRecord, currency: str, amount: Decimal) -> Iterator[str]:
    """Yield the rows of a side in words whose value, fee or amount is `amount` of a currency."""
    for row in record.movement_rows:
        if row.currency == currency and row.amount is not None and row.amount.copy_abs() == amount:
            yield f"that of {row.movement_kind} {printable(row.movement_id, 60)}"
    for fill in record.fill_rows:
        if fill.fee_currency == currency and fill.fee.copy_abs() == amount:
            yield f"the fee of {_name(fill)}"
        instrument = prover.recorded.instruments.get(fill.symbol)
        if instrument is not None and currency == paid_in(instrument):
            value = EXACT.multiply(EXACT.multiply(fill.quantity, fill.price), instrument.multiplier)
            if value == amount:
                yield f"the value of {_name(fill)}"


def _of_sources(prover: Prover) -> Iterator[str]:
    """Yield what a source states against itself, as its reader found."""
    for side, record in prover.recorded.own_records().items():
        for text in record.contradictions:
            yield f"{side}: {printable(text, 500)}"
