"""Answers of the plugins to the hooks of a session under judgement, with the plugin's name."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from pluggy import PluginManager

from recon_core.model import RecordedSession, SideRecord
from recon_core.model.comparison import Comparison, SessionCheck
from recon_core.model.judged_session import JudgedSession
from recon_core.values.amounts import require_amount
from recon_core.values.errors import SessionError
from recon_core.values.printable import printable


class PluginAnswers:
    """Asks the plugins of a manager; without a manager nobody answers."""

    def __init__(self, manager: PluginManager | None) -> None:
        self._hook = None if manager is None else manager.hook

    def with_internal_side(self, recorded: RecordedSession) -> tuple[RecordedSession, list[str]]:
        """The session with the internal side that a plugin recomputed, and a note on it.

        Raises `SessionError` for what is no side.
        """
        recomputed = self._hook and self._hook.recon_internal_side(recorded=recorded)
        if recomputed is None:
            return recorded, []
        if not isinstance(recomputed, SideRecord):
            raise SessionError("recon_internal_side gave no SideRecord")
        giver = self._giver("recon_internal_side", recorded=recorded)
        note = f"internal side recomputed by recon_internal_side of {giver}"
        return replace(recorded, internal=recomputed), [note]

    def checks(self, recorded: RecordedSession) -> list[SessionCheck]:
        """The session checks of all plugins."""
        if self._hook is None:
            return []
        results = self._hook.recon_checks(recorded=recorded)
        return [check for checks in results for check in checks or ()]

    def tolerance(self, comparison: Comparison) -> Decimal | None:
        """The absolute tolerance of a position or a balance, in its unit.

        Raises `AmountError` for what is no exact amount.
        """
        given = self._hook and self._hook.recon_tolerance(comparison=comparison)
        if given is None:
            return None
        return require_amount(given, f"recon_tolerance of {printable(comparison.name, 60)}")

    def tolerance_giver(self, comparison: Comparison) -> str:
        """The plugin whose tolerance of a comparison counted."""
        return self._giver("recon_tolerance", comparison=comparison)

    def reconciled(self, reconciliation: JudgedSession) -> None:
        """Notify all plugins that a session was judged."""
        if self._hook is not None:
            self._hook.recon_reconciled(reconciliation=reconciliation)

    def _giver(self, hook: str, **arguments: object) -> str:
        """Return the plugin whose answer counted: its name, or the end of its file's path."""
        # In pluggy's order, the last registered first; it does not say who answered.
        for each in reversed(getattr(self._hook, hook).get_hookimpls()):
            known = {name: arguments[name] for name in each.argnames}
            if not each.wrapper and not each.hookwrapper and each.function(**known) is not None:
                return printable("/".join(Path(each.plugin_name).parts[-2:]))
        return "a plugin"
