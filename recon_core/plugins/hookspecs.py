"""Extension points of the core: pluggy project and entry-point group `recon`.

A plugin implements them with `@recon_core.hookimpl`, in an installed package that
names a module under the entry-point group `recon`, or in a project's conftest.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from recon_core.model import RecordedSession, SideRecord
    from recon_core.model.comparison import Comparison, SessionCheck
    from recon_core.model.judged_session import JudgedSession

PROJECT: Final = "recon"
hookspec: Final = HookspecMarker(PROJECT)
hookimpl: Final = HookimplMarker(PROJECT)


class ReconHooks:
    """Hooks of a plugin; every hook is optional."""

    @hookspec(firstresult=True)
    def recon_anchor(self, path: Path) -> Path | None:
        """The file that represents the foreign recording at `path`, or `None`.

        Asked for every file and directory while a directory is searched, so it looks at
        names and little else. `path` is the recording itself, its directory, or its anchor.
        """

    @hookspec(firstresult=True)
    def recon_read_session(self, path: Path) -> RecordedSession | None:
        """Read the foreign recording at `path`, or `None` where it is another format's.

        Raises `recon_core.SessionError` where it is this format's and cannot be
        judged; the gate shows that as CRITICAL.
        """

    @hookspec(firstresult=True)
    def recon_internal_side(self, recorded: RecordedSession) -> SideRecord | None:
        """Recompute the internal side with the ledger code under test.

        With it, recorded sessions become regression tests of that code.
        """

    @hookspec(firstresult=True)
    def recon_tolerance(self, comparison: Comparison) -> Decimal | None:
        """The absolute tolerance of a position or a balance, in its unit, not the policy's.

        A diff whose severity it lowers carries the plugin's name in `softened_by`.
        """

    @hookspec
    def recon_checks(self, recorded: RecordedSession) -> Iterable[SessionCheck] | None:
        """More session checks; each becomes an item `session::<name>`."""

    @hookspec
    def recon_reconciled(self, reconciliation: JudgedSession) -> None:
        """Called once a session has been judged completely, with all its judgements."""
