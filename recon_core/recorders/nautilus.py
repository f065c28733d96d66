"""nautilus_trader: the fills that went over the message bus, against the reports of the engine.

The ledger is every fill that was published while the trader ran, as any strategy could hear it. The
statement is what the engine reports when it is disposed of: account, positions and orders. The
recording is a directory of reports, as `write_nautilus_recording` makes it, with the heard fills
in the place of the engine's own list of them.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from recon_core.recorders.engine_run import require_engine, require_object
from recon_core.sessions.formats.nautilus_writer import require_free, write_nautilus_recording


def record_nautilus(
    engine: Any,
    directory: Path | str,
    *,
    session_id: str | None = None,
    starting_balances: Mapping[Any, Iterable[Any]] | None = None,
) -> None:
    """Record the run of a `BacktestEngine` or a `TradingNode`, by an actor that is added here.

    Call it before the run. The recording is written by `dispose()`, as late fills of a stop belong
    to it, and is that of the last run: `reset()` of a backtest drops what was heard before.
    `directory` must be new or empty, now and then.
    `starting_balances` are those of `write_nautilus_recording`. Raises `ReconError` for what is
    neither, and for a directory in use; `dispose()` raises it for what cannot be written.
    """
    actor = require_engine("nautilus_trader.common.actor", "nautilus_trader").Actor
    require_object(engine, "nautilus_trader", "BacktestEngine", "TradingNode")
    require_free(Path(directory).resolve())
    named = {"session_id": session_id, "starting_balances": starting_balances}
    engine.trader.add_actor(_recorder(actor, BusRun(engine, directory, named)))


class BusRun:
    """One run of an engine: its published fills, and the writing of them."""

    def __init__(self, engine: Any, directory: Path | str, named: Mapping[str, Any]) -> None:
        self._engine = engine
        self._directory = directory
        self._named = named
        self._heard: list[dict[str, Any]] = []
        self._is_open = False

    def start(self) -> None:
        """Begin: without a start there is nothing to write."""
        self._is_open = True

    def hear(self, event: Any) -> None:
        """Keep a fill as its report would have it."""
        self._heard.append(type(event).to_dict(event))

    def forget(self) -> None:
        """Drop a run whose account the engine has reset already."""
        self._is_open = False
        self._heard.clear()

    def write(self) -> None:
        """Write the recording of the last run."""
        if self._is_open:
            self._is_open = False
            heard = self._heard
            write_nautilus_recording(self._engine, self._directory, heard=heard, **self._named)


def _recorder(base: Any, run: BusRun) -> Any:
    class Recorder(base):  # type: ignore[misc]  # nautilus_trader may not be installed
        """Hears every fill, also those of a stop: the bus has no regard for its state."""

        def on_start(self) -> None:
            run.start()
            self.msgbus.subscribe(topic="events.fills.*", handler=run.hear)

        def on_reset(self) -> None:
            self.msgbus.unsubscribe(topic="events.fills.*", handler=run.hear)
            run.forget()

        def on_dispose(self) -> None:
            run.write()

    return Recorder()
