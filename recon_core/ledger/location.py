"""Location of a difference: waterfalls, hedge legs, other lists, the first snapshot that differs.

The findings are written to the notes of a diff; they change no verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from recon_core.ledger.bookings import covered_categories
from recon_core.ledger.divergence import Divergences
from recon_core.ledger.other_view import other_view_note
from recon_core.ledger.replay import SideReplay, flows_of
from recon_core.ledger.waterfall import Flows, Waterfall, located, waterfall
from recon_core.model import CashBalance, LedgerSide, Leg, Position, RecordedSession
from recon_core.model.comparison import Comparison, ItemKind, Judgement
from recon_core.policy.model import Policy
from recon_core.values.amounts import exact_sum, format_amount


class Location:
    """The notes that locate the diffs of one session; replays a side once at most."""

    def __init__(
        self,
        recorded: RecordedSession,
        replays: Mapping[LedgerSide, SideReplay],
        policy: Policy,
    ) -> None:
        self._recorded = recorded
        self._replays = replays
        self._since = Divergences(recorded, replays, policy)
        self._flows: dict[LedgerSide, Flows | None] = {}

    def located(self, judgement: Judgement) -> Judgement:
        """The judgement; its diff with notes on where it lies, and the figures of these notes."""
        diff, comparison = judgement.diff, judgement.comparison
        if diff is None:
            return judgement
        found = self._waterfalls(comparison)
        timeline = self._since.timeline(comparison)
        notes = self._notes(comparison, found)
        if not (notes or found or timeline):
            return judgement
        steps = tuple(one.figures() for one in found)
        located = replace(diff, notes=(*diff.notes, *notes), waterfalls=steps, timeline=timeline)
        return replace(judgement, diff=located)

    def facts(self, comparison: Comparison) -> tuple[str, ...]:
        """Return where a difference lies: in another list, in a category of cash, since when."""
        category = self._category(self._waterfalls(comparison))
        return (*self._other_list(comparison), *category, *self._since.notes(comparison))

    def _notes(self, comparison: Comparison, found: Sequence[Waterfall]) -> tuple[str, ...]:
        """Return the other list, the waterfalls, the net of hedge legs, and the facts."""
        return (
            *self._other_list(comparison),
            *(one.text() for one in found),
            *self._category(found),
            *self._net_notes(comparison),
            *self._since.notes(comparison),
        )

    def _other_list(self, comparison: Comparison) -> tuple[str, ...]:
        note = other_view_note(self._recorded, comparison)
        return () if note is None else (note,)

    def _category(self, found: Sequence[Waterfall]) -> tuple[str, ...]:
        return (located(*found),) if len(found) == len(LedgerSide) else ()

    def _waterfalls(self, comparison: Comparison) -> list[Waterfall]:
        value = comparison.internal or comparison.external
        if not isinstance(value, CashBalance):
            return []
        sides = [side for side in LedgerSide if comparison.side in (None, side)]
        found = (self.waterfall(side, comparison, value) for side in sides)
        return [one for one in found if one is not None]

    def waterfall(
        self, side: LedgerSide, comparison: Comparison, value: CashBalance
    ) -> Waterfall | None:
        """Return the waterfall of a side's balance, `None` where it gives no postings."""
        flows, record = self._side_flows(side), self._recorded.own_records().get(side)
        if flows is None or record is None:
            return None
        stated = comparison.external if side is LedgerSide.EXTERNAL else comparison.internal
        if comparison.side is not None:
            stated = comparison.internal
        if "cash" in record.derived or not isinstance(stated, CashBalance):
            stated = None
        return waterfall(
            side,
            flows,
            comparison.name,
            value.account,
            covered=covered_categories(record),
            stated=stated,
            any_account=",account=" not in comparison.key,
        )

    def _side_flows(self, side: LedgerSide) -> Flows | None:
        if side not in self._flows:
            replayed = self._replays.get(side)
            known = None if replayed is None else replayed.flows
            self._flows[side] = known if known is not None else self._replayed(side)
        return self._flows[side]

    def _replayed(self, side: LedgerSide) -> Flows | None:
        known = side in self._replays or side not in self._recorded.own_records()
        return None if known else flows_of(self._recorded, side)

    def _net_notes(self, comparison: Comparison) -> tuple[str, ...]:
        """Return a note on the net of hedge legs, which are compared separately.

        Nets that agree show that a quantity is on the wrong leg.
        """
        value = comparison.internal or comparison.external
        if comparison.item_kind is not ItemKind.POSITION or not isinstance(value, Position):
            return ()
        if value.leg is Leg.NET:
            return ()
        any_account = ",account=" not in comparison.key
        nets = []
        for side, record in self._recorded.own_records().items():
            net = exact_sum(
                row.quantity
                for row in record.position_rows
                if row.symbol == value.symbol and (any_account or row.account == value.account)
            )
            nets.append(f"{side} {format_amount(net)}")
        return (f"net of all legs: {', '.join(nets)}",)
