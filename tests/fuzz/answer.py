"""Questions to the project and its answers, as values that can be compared."""

import contextlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pluggy import PluginManager

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.model.comparison import ItemKind
from recon_core.plugins.manager import extension_manager
from recon_core.sessions.native_text import session_text
from recon_core.values.errors import ReconError
from recon_core.values.severity import Severity

from .oracle import CannotTellError, contradiction


@dataclass(frozen=True, slots=True)
class Answer:
    """The text of an answer; `clear` is a green one, `refused` one that is no verdict.

    `wrong` says why a green answer is none; `untold` is true where the oracle cannot tell.
    """

    text: str
    clear: bool = False
    refused: bool = False
    wrong: str = ""
    untold: bool = False


@cache
def _manager() -> PluginManager:
    return extension_manager()


def judged(path: Path, source: bytes | None = None) -> Answer:
    """The verdicts on a session; a clear one is asked of the oracle.

    `source` is the native JSON that the oracle reads; without it, the session as it was
    read, written out by the project: then the oracle tries the engine, not the reader.
    """
    reconciliation = reconcile_session(path, manager=_manager())
    judgements = reconciliation.judgements
    text = "\n".join(f"{one.comparison.identity} {one.verdict} {one.message}" for one in judgements)
    blocked = any(one.verdict in (Severity.FAIL, Severity.CRITICAL) for one in judgements)
    if blocked or all(one.comparison.item_kind is ItemKind.SESSION for one in judgements):
        return Answer(text, refused=len(judgements) == 1)
    try:
        return Answer(text, clear=True, wrong=contradiction(source or _written(reconciliation)))
    except CannotTellError:
        return Answer(text, clear=True, untold=True)


def _written(reconciliation: Reconciliation) -> bytes:
    try:
        return session_text(reconciliation.recorded).encode()
    except ReconError as error:
        raise CannotTellError(str(error)) from None


def commanded(command: Callable[[list[str]], object], *words: str) -> tuple[int, str]:
    """The status of a command in this process, and all that it printed."""
    out, status = io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            command(list(words))
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
    return status, out.getvalue()
