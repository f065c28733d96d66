"""`meta.json` of a nautilus_trader recording: whose it is, and what the venues began with."""

from dataclasses import dataclass
from typing import Any, Final

from recon_core.values.errors import SessionError

ANCHOR: Final = "meta.json"
ENGINE: Final = "nautilus_trader"
TABLES: Final = (".csv", ".parquet")
"""Endings that a report may have."""


def engine_of(table: Any) -> Any:
    """The engine that a `meta.json` names, `None` where it names none."""
    return table.get("engine") if isinstance(table, dict) else None


@dataclass(frozen=True, slots=True)
class Meta:
    """Contents of `meta.json`; unknown keys are the engine's own business."""

    table: Any

    def session(self) -> str | None:
        """The name of the session, `None` where it has none."""
        name = self.table.get("session")
        return name if isinstance(name, str) and name else None

    def opening_balances(self) -> dict[str, list[str]]:
        """The configured opening of each venue: `{"BINANCE": ["1.00000000 BTC"]}`."""
        if engine_of(self.table) != ENGINE:
            raise SessionError(f"{ANCHOR}: engine; expected {ENGINE!r}")
        venues = self.table.get("configured_starting_balances")
        if not isinstance(venues, dict) or not venues or not all(map(_is_texts, venues.values())):
            raise SessionError(
                f"{ANCHOR}: configured_starting_balances: is missing or no lists of text; expected "
                'the configured opening, like {"BINANCE": ["100000.00000000 USDT"]}'
            )
        return venues


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
