"""vectorbt: the orders of a portfolio, against the cash and the assets that it ends with.

The ledger is the order records, on the cash that each group began with. The statement is the
simulator's own log, where the portfolio was made with `log=True`: what it filled, and the cash and
the position that it had after its last order. Without a log the statement is what the portfolio
works out by `cash()` and `assets()` from the same records: two ways of adding up one list.

Columns that share cash are one account, named like their group; columns that do not are an
account each. Where there is one account it has no name.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recon_core.recorders.engine_run import (
    CURRENCY,
    EngineRun,
    paid_for,
    require_object,
    require_times,
    utc,
)

_SIDES: Final = ("BUY", "SELL")
"""Sides of orders, by their numbers in a record."""
_FILLED: Final = 0
"""Number of an order's result in a log: it was filled."""


def record_vectorbt(
    portfolio: Any,
    directory: Path | str,
    *,
    currency: str = CURRENCY,
    session_id: str | None = None,
    strategy_id: str = "",
) -> Path:
    """Write a `Portfolio` as a session; returns the path of the session file.

    Symbols are the names of the columns. Raises `ReconError` for what is no portfolio, for an
    index without times, and for a directory in use.
    """
    require_object(portfolio, "vectorbt", "Portfolio")
    require_times(portfolio.wrapper.index)
    book = Book.of(portfolio, currency)
    log = portfolio.log_records
    is_logged = len(log) > 0 and all(map(math.isfinite, log["new_cash"]))
    run = EngineRun(
        directory,
        "vectorbt",
        heard_by="orders",
        stated_by="simulator" if is_logged else "portfolio",
        instruments={symbol: paid_for(symbol, currency) for symbol in book.symbols},
        session_id=session_id,
        strategy_id=strategy_id,
    )
    for side in run.sides:
        side.opening(cash=book.cash(book.opening))
    for record in portfolio.order_records:
        run.ledger.fill(book.fill(record))
    for fill in book.logged_fills(log) if is_logged else ():
        run.statement.fill(fill)
    held, cash = book.logged(log) if is_logged else book.worked_out(portfolio)
    run.statement.positions(book.positions(held))
    run.statement.cash(book.cash(cash))
    return run.finish(book.index[-1])


@dataclass(frozen=True, slots=True)
class Book:
    """The names of a portfolio: symbols by column, accounts by group, the group of each column."""

    symbols: tuple[str, ...]
    accounts: tuple[str | None, ...]
    groups: tuple[int, ...]
    opening: tuple[float, ...]
    index: Any
    currency: str

    @classmethod
    def of(cls, portfolio: Any, currency: str) -> "Book":
        """Return the names of a portfolio, and the cash that each of its groups began with."""
        shares, wrapper = portfolio.cash_sharing, portfolio.wrapper
        symbols = tuple(map(_name, wrapper.columns))
        grouped = wrapper.grouper.get_groups() if shares else range(len(symbols))
        names = tuple(map(_name, wrapper.get_columns())) if shares else symbols
        return cls(
            symbols,
            names if len(names) > 1 else (None,),
            tuple(map(int, grouped)),
            tuple(_numbers(portfolio.get_init_cash(**_by(portfolio)))),
            wrapper.index,
            currency,
        )

    def fill(self, record: Any) -> dict[str, Any]:
        """Return an order record as a fill."""
        return self._fill(record, record["id"], "")

    def logged_fills(self, log: Any) -> Iterator[dict[str, Any]]:
        """Yield the orders that a log says were filled."""
        for record in log[log["res_status"] == _FILLED]:
            yield self._fill(record, record["order_id"], "res_")

    def _fill(self, record: Any, number: int, prefix: str) -> dict[str, Any]:
        """Return a fill, from the fields whose names begin with `prefix`."""
        column = int(record["col"])
        return {
            "fill_id": int(number),
            "symbol": self.symbols[column],
            "account": self.accounts[self.groups[column]],
            "side": _SIDES[int(record[f"{prefix}side"])],
            "quantity": record[f"{prefix}size"],
            "price": record[f"{prefix}price"],
            "fee": record[f"{prefix}fees"],
            "fee_currency": self.currency,
            "time": utc(self.index[int(record["idx"])]),
        }

    def logged(self, log: Any) -> tuple[list[float], list[float]]:
        """Return the position of each column and the cash of each group after the last order."""
        held, cash = [0.0] * len(self.symbols), list(self.opening)
        for record in log:
            held[record["col"]] = record["new_position"]
            cash[record["group"]] = record["new_cash"]
        return held, cash

    def worked_out(self, portfolio: Any) -> tuple[list[float], list[float]]:
        """Return positions and cash as the portfolio adds up its order records."""
        held, cash = portfolio.assets(), portfolio.cash(**_by(portfolio))
        return _numbers(held.iloc[-1]), _numbers(cash.iloc[-1])

    def positions(self, held: Iterable[float]) -> list[Mapping[str, Any]]:
        """Return the position of each column as a row."""
        return [
            {"symbol": symbol, "quantity": quantity, "account": self.accounts[group]}
            for symbol, quantity, group in zip(self.symbols, held, self.groups, strict=True)
        ]

    def cash(self, totals: Iterable[float]) -> list[Mapping[str, Any]]:
        """Return the cash of each group as a row."""
        return [
            {"currency": self.currency, "total": total, "account": account}
            for account, total in zip(self.accounts, totals, strict=True)
        ]


def _by(portfolio: Any) -> dict[str, Any]:
    """Return how to ask for cash: by group where columns share it, else by column."""
    return {} if portfolio.cash_sharing else {"group_by": False}


def _numbers(given: Any) -> list[float]:
    """Return the numbers of a series, or one number alone."""
    return list(getattr(given, "values", [given]))


def _name(given: Any) -> str:
    """Return the name of a column or a group, its levels joined by commas."""
    return ", ".join(map(str, given)) if isinstance(given, tuple) else str(given)
