"""Symbols and currencies of one session, by the tables of the policy that could name them."""

from collections.abc import Iterable, Iterator

from recon_core.compare.aliases import names_of
from recon_core.model import CashBalance, RecordedSession
from recon_core.model.assets import delivering
from recon_core.model.comparison import Comparison, ItemKind
from recon_core.policy.model import Policy
from recon_core.policy.names import CASH, POSITIONS, aliases_of, keeps_of, policy_keys


def own_names(recorded: RecordedSession, policy: Policy) -> dict[str, list[str]]:
    """Return the names of each side before the aliases of the policy."""
    sides = {aliases_of(side): record for side, record in recorded.own_records().items()}
    named = policy_keys(policy).keys() & sides.keys()
    return {table: sorted(names_of(sides[table])) for table in sorted(named)}


def compared_names(
    recorded: RecordedSession, comparisons: Iterable[Comparison], policy: Policy
) -> dict[str, list[str]]:
    """Return the names that are compared, for those tables in which the policy names some."""
    tables = policy_keys(policy).keys()
    found: dict[str, set[str]] = {}
    if tables & {POSITIONS, CASH}:
        found[POSITIONS], found[CASH] = set(), set()
        for one in comparisons:
            if one.of_position:
                found[POSITIONS].add(one.name)
            elif one.item_kind is ItemKind.CASH or isinstance(
                one.internal or one.external, CashBalance
            ):
                found[CASH].add(one.name)
    for side, record in recorded.own_records().items():
        if keeps_of(side) in tables:
            found[keeps_of(side)] = set(_assets(recorded, names_of(record)))
    return {table: sorted(names) for table, names in found.items() if table in tables}


def _assets(recorded: RecordedSession, names: set[str]) -> Iterator[str]:
    """Yield currencies, and what symbols deliver."""
    for name in names:
        instrument = delivering(name, recorded.instruments)
        yield name if instrument is None else instrument.base
