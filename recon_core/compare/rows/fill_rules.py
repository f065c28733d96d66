"""Faults of the rows of one fill key (design, "Orders and fills").

Pure functions of the rows: they find cases and say them in words, and know no severity. A
field that only one side states (an order id, a leg) is no contradiction.
"""

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

from recon_core.compare.rows.aggregation_texts import aggregated_fills
from recon_core.compare.rows.row_differences import differing
from recon_core.model import Fill, Leg
from recon_core.model.matched_rows import MatchedFills, RowCase, RowFinding
from recon_core.values.amounts import ZERO

_CORE = attrgetter("quantity", "price", "fee", "side", "fee_currency", "time")
_OPTIONAL = attrgetter("client_order_id", "exchange_order_id", "leg")
_ABSENT: Final = (None, None, Leg.NET)


def same_fill(one: Fill, other: Fill) -> bool:
    """True if two rows of one key say the same; quick, as most rows of a session do.

    The name of a side's only account is ignored, and so is a field that one side does not
    state.
    """
    return _agree_at_once(one, other) or not any(differing_fields((one, other)))


def _agree_at_once(one: Fill, other: Fill) -> bool:
    """True if two rows are equal, fields that one side does not state aside."""
    return one is other or (
        _CORE(one) == _CORE(other) and all(map(_agree, _OPTIONAL(one), _OPTIONAL(other), _ABSENT))
    )


def _agree(one: str | None, other: str | None, absent: str | None) -> bool:
    return one == other or absent in (one, other)


def fill_findings(matched: MatchedFills) -> list[RowFinding]:
    """Everything that is wrong with one fill key; nothing for a match.

    Of fills that the sides list in a different number of rows one key has the finding.
    """
    ours, theirs = matched.internal, matched.external
    if matched.group is not None:
        return [aggregated_fills(matched.group)] if matched.has_finding else []
    if len(ours) == len(theirs) == 1 and _agree_at_once(ours[0], theirs[0]):
        return []
    found = list(_one_sided(ours, theirs))
    for side, rows in (("internal", ours), ("external", theirs)):
        if len(rows) > 1:
            text = f"stated {len(rows)} times by {side}"
            found.append(RowFinding(RowCase.FILL_DUPLICATE, text))
    cases: dict[RowCase, list[str]] = {}
    for case, name in differing_fields((*ours, *theirs)):
        cases.setdefault(case, []).append(name)
    in_floats = bool(matched.float_sides)
    return found + [
        differing(case, names, (*ours, *theirs), in_floats=in_floats)
        for case, names in cases.items()
    ]


def _one_sided(ours: Sequence[Fill], theirs: Sequence[Fill]) -> Iterator[RowFinding]:
    if not ours:
        yield RowFinding(RowCase.FILL_MISSING, "missing, internal does not list it")
    if not theirs:
        yield RowFinding(RowCase.FILL_ORPHANED, "orphaned, external does not list it")


def differing_fields(rows: Sequence[Fill]) -> Iterator[tuple[RowCase, str]]:
    """The fields that the rows do not agree on, each with the case that it is."""
    if len(rows) < 2:  # noqa: PLR2004  # a single row agrees with itself
        return
    for name in ("side", "quantity", "price", "leg", "client_order_id", "exchange_order_id"):
        # An order may be called "NET".
        values = {getattr(row, name) for row in rows} - {Leg.NET if name == "leg" else None}
        if len(values) > 1:
            yield RowCase.FILL_PAYLOAD, name
    # A fee of nothing is the same in every currency.
    if len({(row.fee, row.fee_currency) if row.fee else ZERO for row in rows}) > 1:
        yield RowCase.FILL_FEE, "fee"
    if len({row.time for row in rows}) > 1:
        yield RowCase.FILL_TIME, "time"
