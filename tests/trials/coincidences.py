"""Cash that more than one fault, or more than one pair of faults, would leave.

Fees, movements and openings move one balance each; two of them may well make one sum.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from recon_core.model import Numbers
from recon_core.model.explanation import Effect
from recon_core.policy.model import Policy
from recon_core.values.amounts import EXACT, exact_sum
from tests.trials.bases import Base

_Named = tuple[object, ...]


def is_coincidence(base: Base, effect: Effect, faults: int) -> bool:
    """Whether other faults, as many at most, leave the same amount of one balance.

    Of binary floats amounts that are nearly the same are.
    """
    cash = {key: amount for key, amount in effect.cash.items() if amount}
    if any(effect.position.values()) or len(cash) != 1:
        return False
    ((key, wanted),) = cash.items()
    known = _by_amount(base, key.partition(",")[0])
    near, dust = {wanted}, dust_of(base)
    if dust:
        near |= {each for each in known if EXACT.subtract(each, wanted).copy_abs() <= dust}
    found = {(name,) for each in near for name in known.get(each, ())}
    if faults > 1:
        found |= set(_pairs(known, wanted))
        found |= _near_pairs(known, wanted, dust)
    return len(found) > 1


def dust_of(base: Base) -> Decimal:
    """What amounts may be off where a side computed in binary floats."""
    in_floats = Numbers.FLOAT in (base.book.numbers, base.external.numbers)
    return Policy().float_dust if in_floats else Decimal(0)


def _near_pairs(
    known: dict[Decimal, set[_Named]], wanted: Decimal, dust: Decimal
) -> set[tuple[_Named, ...]]:
    """Two pairs, if there are, whose amounts are nearly the one that is wanted."""
    amounts, found = sorted(known), set[tuple[_Named, ...]]()
    for amount in amounts if dust else ():
        rest = EXACT.subtract(wanted, amount)
        low, high = EXACT.subtract(rest, dust), EXACT.add(rest, dust)
        for other in amounts[bisect_left(amounts, low) : bisect_right(amounts, high)]:
            for one, two in product(known[amount], known[other]):
                found.add(tuple(sorted((one, two), key=repr)))
        if len(found) > 1:
            return found
    return found


def is_of_one_row(base: Base, effect: Effect) -> bool:
    """Whether a fault of a single fee, movement or opening leaves the same amount."""
    cash = {key: amount for key, amount in effect.cash.items() if amount}
    if any(effect.position.values()) or len(cash) != 1:
        return False
    ((key, wanted),) = cash.items()
    return wanted in _by_amount(base, key.partition(",")[0])


def _pairs(known: dict[Decimal, set[_Named]], wanted: Decimal) -> Iterator[tuple[_Named, ...]]:
    for amount, names in known.items():
        rest = EXACT.subtract(wanted, amount)
        for name in names:
            for other in known.get(rest, ()):
                yield tuple(sorted((name, other), key=repr))


def _by_amount(base: Base, currency: str) -> dict[Decimal, set[_Named]]:
    """What faults of one row leave of a balance, by amount; equal rows have one name."""
    known: dict[Decimal, set[_Named]] = defaultdict(set)
    fees = []
    for fill in base.fills:
        if fill.fee_currency == currency and fill.fee:
            fees.append(fill.fee)
            for name, factor in (("missing fee", 1), ("fee twice", -1), ("fee sign", 2)):
                known[EXACT.multiply(fill.fee, Decimal(factor))].add((name, fill.fee, fill.account))
    for row in base.book.movements or ():
        if row.currency == currency and row.amount:
            what = row.movement_kind, row.amount, row.account
            known[row.amount.copy_negate()].add(("missing", *what))
            known[row.amount].add(("twice", *what))
    for balance in () if base.book.opening is None else base.book.opening.cash:
        if balance.currency == currency and balance.total:
            known[balance.total.copy_negate()].add(("opening", balance.account))
    known[exact_sum(fees)].add(("no fees",))
    known[EXACT.multiply(exact_sum(fees), Decimal(2))].add(("all signs",))
    return known
