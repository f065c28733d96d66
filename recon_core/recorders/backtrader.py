"""backtrader: what the strategies heard of their orders, against what the broker has.

The ledger is the executions that `notify_order` brought, each with the commission that it named,
on the cash that the broker began with. The statement is the broker at the end: its cash, its
positions, its orders and their executions. An execution that a strategy never heard of, or heard
twice, differs by its own fill, by its order, by position and cash.

A stock is paid for in full. For a future the broker sets a margin aside and books its gain into
the cash after every bar: the balance is cash and margins together, and the mark price is that of
the last bar. Interest that no execution has charged yet is one movement at the end, as the broker
counts it, for no strategy hears of it.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from recon_core.recorders.engine_run import (
    CURRENCY,
    EngineRun,
    paid_for,
    require_engine,
    require_object,
    signed,
    total,
    utc,
)
from recon_core.values.errors import ReconError
from recon_core.values.printable import printable

_STATES: Final = {
    "Created": "CREATED",
    "Submitted": "SUBMITTED",
    "Accepted": "ACKNOWLEDGED",
    "Partial": "PARTIALLY_FILLED",
    "Completed": "FILLED",
    "Canceled": "CANCELLED",
    "Expired": "EXPIRED",
    "Margin": "REJECTED",
    "Rejected": "REJECTED",
}


def record_backtrader(
    cerebro: Any,
    directory: Path | str,
    *,
    currency: str = CURRENCY,
    session_id: str | None = None,
    strategy_id: str = "",
) -> None:
    """Record the next `cerebro.run()` as a session, by an analyzer that is added here.

    `directory` must be new or empty when the run begins. `currency` is the name of the broker's
    cash. The session is complete when the last strategy has stopped. Raises `ReconError` for what
    is no `Cerebro`; during the run, for a directory in use and for a commission scheme whose cash
    cannot be replayed: a leverage of stocks, a multiplier of stocks, short sales without cash.
    """
    backtrader = require_engine("backtrader")
    require_object(cerebro, "backtrader", "Cerebro")
    names = {"session_id": session_id, "strategy_id": strategy_id}
    run = BrokerRun(directory, currency, names, backtrader.num2date)

    cerebro.addanalyzer(_analyzer(backtrader.Analyzer, run))


def _analyzer(base: Any, run: "BrokerRun") -> Any:
    class Recorded(base):  # type: ignore[misc]  # backtrader ships no types
        """Hands to the one recording of a run what each strategy hears."""

        def start(self) -> None:
            run.start(self.strategy)

        def notify_order(self, order: Any) -> None:
            run.hear(order)

        def stop(self) -> None:
            run.stop(self.strategy)

    return Recorded


class BrokerRun:
    """One run of a cerebro: several strategies share its broker.

    `time_of` makes a time of a number of days, as the engine does.
    """

    def __init__(
        self,
        directory: Path | str,
        currency: str,
        names: Mapping[str, Any],
        time_of: Callable[[float], datetime],
    ) -> None:
        self._directory = directory
        self._currency = currency
        self._names = names
        self._time_of = time_of
        self._running = 0
        self._symbols: dict[int, str] = {}
        self._recording: EngineRun | None = None

    @property
    def recording(self) -> EngineRun:
        """The recording; raises `ReconError` before the run."""
        if self._recording is None:
            raise ReconError("the run has not begun; expected a call of cerebro.run()")
        return self._recording

    def start(self, strategy: Any) -> None:
        """Open the recording with the first strategy that starts."""
        self._running += 1
        if self._recording is not None:
            return
        broker, self._symbols = strategy.broker, _symbols(strategy.datas)
        self._recording = EngineRun(
            self._directory,
            "backtrader",
            heard_by="strategy",
            stated_by="broker",
            instruments={
                self._symbols[id(data)]: self._instrument(broker, data) for data in strategy.datas
            },
            **self._names,
        )
        positions = [
            {"symbol": self._symbols[id(data)], "quantity": held.size, "average_price": held.price}
            for data in strategy.datas
            if (held := broker.getposition(data)).size
        ]
        for side in self.recording.sides:
            side.opening(positions, {self._currency: broker.getcash()})

    def hear(self, order: Any) -> None:
        """Record the executions that an order reports for the first time."""
        for number, execution in enumerate(order.executed.iterpending(), order.executed.p1 + 1):
            self.recording.ledger.fill(self._fill(order, number, execution))

    def stop(self, strategy: Any) -> None:
        """Record what the broker has when the last strategy stops."""
        self._running -= 1
        if self._running:
            return
        time = self._time_of(strategy.lines.datetime[0])
        self._charge(strategy.broker, time)
        self._state(strategy.broker, strategy.datas)
        for order in getattr(strategy.broker, "orders", ()):
            self._order(order)
        self.recording.finish(time)

    def _charge(self, broker: Any, time: datetime) -> None:
        for data, charged in getattr(broker, "d_credit", {}).items():
            for side in self.recording.sides if charged else ():
                side.movement(
                    movement_id=f"interest {self._symbols[id(data)]}",
                    kind="interest",
                    currency=self._currency,
                    amount=-charged,
                    time=utc(time),
                )

    def _state(self, broker: Any, datas: Iterable[Any]) -> None:
        margins, positions = [], []
        for data in datas:
            position, scheme = broker.getposition(data), broker.getcommissioninfo(data)
            row = {"symbol": self._symbols[id(data)], "quantity": position.size}
            if not scheme.stocklike:
                held = scheme.getvaluesize(position.size, position.price)
                margins.append(held / scheme.get_leverage())
                row["mark_price"] = position.adjbase
            positions.append(row)
        cash = broker.getcash()
        self.recording.statement.positions(positions)
        self.recording.statement.cash(
            [{"currency": self._currency, "total": total(cash, *margins), "free": cash}]
        )

    def _order(self, order: Any) -> None:
        fills = [
            self._fill(order, number, execution)
            for number, execution in enumerate(order.executed.exbits, 1)
        ]
        for fill in fills:
            self.recording.statement.fill(fill)
        state = _STATES.get(order.getstatusname(), "CREATED")
        if state == "REJECTED" and fills:
            state = "CANCELLED"  # a part was filled before the cash ran out
        self.recording.statement.order(
            exchange_order_id=order.ref,
            symbol=self._symbols[id(order.data)],
            type=order.getordername(),
            filled_quantity=total(*(fill["quantity"] for fill in fills)),
            state=state,
            time=fills[-1]["time"] if fills else utc(self._time_of(order.created.dt)),
            **signed(order.created.size),
        )

    def _fill(self, order: Any, number: int, execution: Any) -> dict[str, Any]:
        """Return an execution of an order, by its number among those of the order.

        One execution may close a position and open the next; each part has a commission.
        """
        return {
            "fill_id": f"{order.ref}.{number}",
            "exchange_order_id": order.ref,
            "symbol": self._symbols[id(order.data)],
            "price": execution.price,
            "fee": total(execution.closedcomm, execution.openedcomm),
            "fee_currency": self._currency,
            "time": utc(self._time_of(execution.dt)),
            **signed(execution.size),
        }

    def _instrument(self, broker: Any, data: Any) -> dict[str, Any]:
        scheme, symbol = broker.getcommissioninfo(data), self._symbols[id(data)]
        if not scheme.stocklike:
            multiplier = {"multiplier": scheme.p.mult, "settles": "daily"}
            return {"kind": "future", "base": symbol, "quote": self._currency, **multiplier}
        refused = {
            f"leverage={scheme.p.leverage}": scheme.p.leverage != 1,
            f"mult={scheme.p.mult}": scheme.p.mult != 1,
            "shortcash=False": not getattr(broker.p, "shortcash", True),
        }
        for name in (name for name, is_refused in refused.items() if is_refused):
            raise ReconError(
                f"feed {printable(symbol, 60)}: a stock with {name} cannot be replayed; "
                "expected a leverage and a mult of 1, and shortcash"
            )
        return paid_for(symbol, self._currency)


def _symbols(datas: Iterable[Any]) -> dict[int, str]:
    """Return the symbol of each feed: its name, with its number where another has that name."""
    found: dict[int, str] = {}
    for data in datas:
        name = str(data._name) or f"data{data._id}"  # noqa: SLF001  # the only way to its name
        found[id(data)] = f"{name}.{data._id}" if name in found.values() else name  # noqa: SLF001
    return found
