"""Names that the two sides have for the same symbols and currencies (design, "Names to keep")."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from recon_core.model import LedgerSide


@dataclass(frozen=True, slots=True)
class Aliases:
    """For each side, symbols and currencies of its own → the names of the other side.

    All are applied at once: the new name of one is never looked up again.
    """

    internal: Mapping[str, str] = field(default_factory=dict)
    external: Mapping[str, str] = field(default_factory=dict)

    def of(self, side: LedgerSide) -> Mapping[str, str]:
        """The aliases of one side."""
        return self.internal if side is LedgerSide.INTERNAL else self.external

    def to_dict(self) -> dict[str, dict[str, str]]:
        """The aliases as plain data."""
        return {str(side): dict(sorted(self.of(side).items())) for side in LedgerSide}
