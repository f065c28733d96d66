"""One run of an engine, recorded: rows in, a session out.

What all engines share is here: the sides and their names, signed sizes, times without a zone,
binary floats. An engine that computes in floats gives them as they are; each is taken at the
shortest decimal text that names it, sums of them are exact sums of these texts, and the session
says `"numbers": "float"`, so that the policy's dust holds. A size of -1.5 is a SELL of 1.5. A
time without a zone is UTC.

Source of the rule: rules, "Binary floats".
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from numbers import Integral
from pathlib import Path
from typing import Any, Final

from recon_core.sessions.native_text import document_text
from recon_core.sessions.recorder import SessionRecorder
from recon_core.sessions.side_recorder import Fields, SideRecorder
from recon_core.values.amounts import exact_sum, shortest_amount
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable

Number = Decimal | float | int

CURRENCY: Final = "USD"
"""Currency of engines that have a number and no name for it."""

PAID_FOR: Final = "equity"
"""Kind of an instrument that is paid for, and listed as a position and not as a balance."""


class EngineRun:
    """A run that is being recorded: `ledger` takes what was heard, `statement` the engine's word.

    `engine` is its name, `heard_by` and `stated_by` are the parts of it that both sides are named
    after. `instruments` are the fields of the session file by symbol. Rows are on disk at once;
    until `finish` the session is not complete, so that a run that crashes stays red.
    """

    def __init__(
        self,
        directory: Path | str,
        engine: str,
        *,
        heard_by: str,
        stated_by: str,
        instruments: Mapping[str, Fields],
        session_id: str | None = None,
        strategy_id: str = "",
        mode: str = "SIM",
        floats: bool = True,
        currencies: Mapping[str, int] | None = None,
    ) -> None:
        self._recorder = SessionRecorder(
            directory,
            session_id=session_id,
            strategy_id=strategy_id,
            mode=mode,
            instruments=instruments,
            currencies=currencies,
            floats=floats,
        )
        self.path: Path = self._recorder.path
        self.ledger: SideRecorder = self._recorder.internal
        self.statement: SideRecorder = self._recorder.external
        self.ledger.source = f"{engine} {heard_by}"
        self.statement.source = f"{engine} {stated_by}"
        held = {one["base"]: "position" for one in instruments.values() if one["kind"] == PAID_FOR}
        for side in self.sides if held else ():
            side.keeps(held)

    @property
    def sides(self) -> tuple[SideRecorder, SideRecorder]:
        """Both sides, for what each of them knows."""
        return self.ledger, self.statement

    def checkpoint(self, as_of: datetime) -> None:
        """Make the recording complete as of a time, of an engine that never says when it ends."""
        self.ledger.as_of = self.statement.as_of = utc(as_of)
        self._recorder.checkpoint()

    def finish(self, as_of: datetime, *, external: Fields | None = None) -> Path:
        """Close the recording, both sides as of one time; returns the path of the session.

        `external` names a source beside the session that the statement is in, as it has no rows.
        """
        self.ledger.as_of = self.statement.as_of = utc(as_of)
        self._recorder.close()
        if external is not None:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            with refusing(self.path.name):
                write_atomically(self.path, document_text({**document, "external": external}))
        return self.path


def signed(size: Number) -> dict[str, Any]:
    """Return order side and quantity of a signed size."""
    return {"side": "BUY" if size > 0 else "SELL", "quantity": abs(size)}


def total(*numbers: Number) -> Decimal:
    """Return the exact sum of numbers, each at its shortest text; raises `AmountError`."""
    return exact_sum(map(exact, numbers))


def exact(number: Number) -> Decimal:
    """Return a number at the shortest decimal text that names it; raises `AmountError`."""
    if isinstance(number, Decimal):
        return number
    return Decimal(int(number)) if isinstance(number, Integral) else shortest_amount(str(number))


def utc(time: datetime) -> datetime:
    """Return a time in UTC; one without a zone is taken for UTC."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def paid_for(symbol: str, currency: str) -> dict[str, str]:
    """Return the instrument of an asset that is paid for in full and is a position."""
    return {"kind": PAID_FOR, "base": symbol, "quote": currency}


def require_times(index: Any) -> None:
    """Refuse the index of a table that has no times."""
    if len(index) and not isinstance(index[-1], datetime):
        found = printable(type(index).__name__, 60)
        raise ReconError(f"the index is a {found}; expected times, a DatetimeIndex")


def require_engine(module: str, package: str | None = None) -> Any:
    """Import an engine; raises `ReconError` where it is not installed."""
    if find_spec(module) is None:
        raise ReconError(
            f"recording {module} needs it, and it is not installed; pip install {package or module}"
        )
    return import_module(module)


def require_object(given: Any, module: str, *names: str) -> None:
    """Refuse what is no object of an engine's class, by the names of its class and module."""
    kinds = type(given).__mro__
    if any(kind.__name__ in names and kind.__module__.split(".")[0] == module for kind in kinds):
        return
    found = printable(type(given).__name__, 60)
    raise ReconError(f"an object of type {found}; expected {' or '.join(names)} of {module}")
