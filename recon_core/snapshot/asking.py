"""One query of an exchange: its tries, its pages to the end, and the faults of its answers.

A window of time is asked for, then from the latest row on, until an answer has no new row; so a
page that is smaller than the one asked for ends nothing. Where nothing later was found, the
exchange may give its newest rows first: then it is asked for what is before the earliest row, in
the same way. 2,500 trades in pages of 1,000: three pages, and a fourth answer without a new row.

Rows that are left over on a page of one millisecond cannot be asked for: that is a fault, which
shows by rows behind a page that had only known ones. So is every answer that does not state what
a row of its kind must state.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from recon_core.snapshot.exchange import error_text, require_ccxt
from recon_core.snapshot.queries import ENDS, MY_TRADES, Query
from recon_core.values.printable import printable, quoted

TRIES: Final = 3
"""Requests for one page; a fault of the network is seldom three times in a row."""
LONGEST_WAIT: Final = 60
"""Seconds that an exchange may ask to wait, once; a longer wait is a ban."""
MOST_PAGES: Final = 5_000
"""Answers to one query: 5,000,000 rows at 1,000 each, an hour at the pace of most exchanges."""
_DAY: Final = 86_400_000
"""Milliseconds, in which ccxt counts."""
_DEFAULT_DAYS: Final = 30
"""Days of one window where ccxt states none; exchanges that bound it allow 30 or more."""
_OUTAGE: Final = 500
"""Lowest status with which an exchange says that the fault is its own."""
_BANNED: Final = 418
"""Status with which Binance says that asking again makes a ban longer."""

Row = Mapping[str, Any]


class QueryFault(Exception):  # noqa: N818  # a value on the way to the manifest, no error of ours
    """The reason why an answer does not cover what was asked for."""


@dataclass(slots=True)
class Asked:
    """Outcome of one query: its rows, and the facts that the manifest keeps.

    `status` is `whole`, `failed`, `not offered` or `not asked`; rows of a query that is not whole
    are not to be used. `bounded_as` is the symbol whose windows and pages it has.
    """

    query: Query
    of: str = ""
    bounded_as: str = ""
    status: str = "whole"
    error: str = ""
    rows: list[Row] = field(default_factory=list)
    result: Row | None = None
    requested: datetime | None = None
    answered: datetime | None = None
    pages: int = 0
    requests: int = 0

    @property
    def title(self) -> str:
        """The query as people say it: `my trades of BTC/USDT`."""
        return f"{self.query.title} of {self.of}" if self.of else self.query.title


@dataclass(slots=True)
class Asker:
    """Asks an exchange; `sleep` waits for a number of seconds."""

    exchange: Any
    sleep: Callable[[float], None] = time.sleep

    def whole(self, query: Query, of: str, arguments: Mapping[str, Any]) -> Asked:
        """Ask for what one answer holds."""
        return self._asked(Asked(query, of, of), lambda asked: self._single(asked, arguments))

    def paged(self, query: Query, of: str, since: int, until: int, bounded_as: str = "") -> Asked:
        """Ask for all rows between two times, both included, in milliseconds.

        Its windows and pages are those of `bounded_as`, without it of `of`.
        """
        asked = Asked(query, of, bounded_as or of)
        return self._asked(asked, lambda asked: self._windows(asked, since, until))

    def _asked(self, asked: Asked, ask: Callable[[Asked], None]) -> Asked:
        ccxt = require_ccxt()
        asked.requested = datetime.now(UTC)
        try:
            ask(asked)
        except QueryFault as fault:
            asked.status, asked.error = "failed", str(fault)
        except Exception as error:  # noqa: BLE001  # ccxt's parsers raise anything at half answers
            # A kind of account may lack transfers and a ledger, but never what its state is.
            lacks = isinstance(error, ccxt.NotSupported) and asked.query.section in (
                "",
                "movements",
            )
            asked.status = "not offered" if lacks else "failed"
            asked.error = error_text(self.exchange, error)
        if asked.status == "failed":
            asked.error = f"page {max(asked.pages, 1)}: {asked.error}"
        asked.answered = datetime.now(UTC)
        return asked

    def _single(self, asked: Asked, arguments: Mapping[str, Any]) -> None:
        limit = self._bounds(asked)[1] if asked.query.section == "orders" else None
        result = self._page(asked, **arguments, **({} if limit is None else {"limit": limit}))
        if isinstance(result, list) and limit is not None and len(result) >= limit:
            raise QueryFault(f"cut: {len(result)} rows, as many as the exchange gives at once")
        if isinstance(result, dict | int):
            asked.result = result if isinstance(result, dict) else {"milliseconds": result}
            return
        asked.rows = [*_checked(result, asked).values()]

    def _windows(self, asked: Asked, since: int, until: int) -> None:
        days, limit = self._bounds(asked)
        found: dict[str, Row] = {}
        while since <= until:
            end = min(until, since + days * _DAY - 1)
            _Window(self, asked, found, limit).fill(since, end)
            since = end + 1
        rows = [row for row in found.values() if row["timestamp"] <= until]
        asked.rows = sorted(rows, key=lambda row: (row["timestamp"], row["id"]))

    def _bounds(self, asked: Asked) -> tuple[int, int | None]:
        """Return the days of a window and the rows of a page that ccxt knows of.

        An exchange bounds its orders as its trades, though ccxt states that of trades only.
        """
        if not asked.bounded_as:
            return _DEFAULT_DAYS, None
        value = self.exchange.feature_value
        names = (asked.query.features, MY_TRADES.features)
        days = [value(asked.bounded_as, name, "untilDays", None) or _DEFAULT_DAYS for name in names]
        limit = value(asked.bounded_as, asked.query.features, "limit", None)
        return max(int(min(days)), 1), None if limit is None else int(limit)

    def rows(self, asked: Asked, since: int, until: int, limit: int | None) -> dict[str, Row]:
        """Ask for one page; raises `QueryFault` for an answer that is not whole."""
        place = {"symbol": asked.of} if asked.query.of_symbols else {}
        end = ENDS.get((self.exchange.id, asked.query.name), "until")
        found = self._page(asked, **place, since=since, limit=limit, params={end: until})
        return _checked(found, asked)

    def _page(self, asked: Asked, **arguments: Any) -> Any:
        """Return one answer, after as many tries as its faults are worth."""
        asked.pages += 1
        if asked.pages > MOST_PAGES:
            raise QueryFault(f"more than {MOST_PAGES} pages")
        ccxt = require_ccxt()
        for attempt in range(1, TRIES + 1):
            asked.requests += 1
            self.exchange.answers.clear()
            try:
                result = getattr(self.exchange, asked.query.method)(**arguments)
            except ccxt.BaseError as error:
                wait = self._wait(attempt, error) if self._may_pass(error) else None
                if attempt == TRIES or wait is None:
                    raise
                self.sleep(wait)
            else:
                _refuse_other_shapes(self.exchange.answers, result)
                return result
        raise AssertionError("unreachable: the last try returns or raises")

    def _may_pass(self, error: Exception) -> bool:
        """True for a fault of the network or of the exchange, whatever ccxt made of its words."""
        status = self.exchange.last_status or 0
        return isinstance(error, require_ccxt().OperationFailed) or status >= _OUTAGE

    def _wait(self, attempt: int, error: Exception) -> float | None:
        """Return the seconds before another try, `None` where it would be of no use."""
        if isinstance(error, require_ccxt().InvalidNonce) or self.exchange.last_status == _BANNED:
            return None
        headers = self.exchange.last_response_headers or {}
        stated = str(headers.get("Retry-After", "")).strip()
        wait = float(stated) if stated.isdecimal() else float(2 ** (attempt - 1))
        return wait if wait <= LONGEST_WAIT else None


@dataclass(slots=True)
class _Window:
    """Rows of one window of time, added to those that were `found` before."""

    asker: Asker
    asked: Asked
    found: dict[str, Row]
    limit: int | None
    largest: int = 0
    is_largest: bool = False

    def fill(self, since: int, until: int) -> None:
        """Ask until neither end of what was found has a new row."""
        first = self._new(since, until)
        if not first:
            return
        low, high = _span(first)
        oldest_first = False
        while new := self._new(high, until):
            oldest_first = True
            high = max(high, _span(new)[1])
        self._refuse_more(high + 1, until)
        if oldest_first:
            return
        while low > since and (new := self._new(since, low)):
            low = min(low, _span(new)[0])
        self._refuse_more(since, low - 1)

    def _new(self, since: int, until: int) -> list[Row]:
        page = self.asker.rows(self.asked, since, until, self.limit)
        self.is_largest = len(page) >= self.largest
        self.largest = max(self.largest, len(page))
        new = [row for name, row in page.items() if name not in self.found]
        known = [(self.found[name], row) for name, row in page.items() if name in self.found]
        if self.asked.query.section == "fills":
            _refuse_changed(known)
        if not new and page:
            self._refuse_full(page, until)
        self.found |= page
        return new

    def _refuse_more(self, since: int, until: int) -> None:
        """Refuse rows behind a page of known ones: it was full, though it was not known to be.

        A page that was smaller than another one was not full.
        """
        if self.is_largest and since <= until and self._new(since, until):
            raise QueryFault(f"cut: pages of {self.largest} rows end within one millisecond")

    def _refuse_full(self, page: Mapping[str, Row], until: int) -> None:
        """Refuse a full page of known rows: others may be behind it."""
        if self.limit is None or len(page) < self.limit:
            return
        low, high = _span([*page.values()])
        if low == high:
            raise QueryFault(f"cut: {len(page)} rows are of one millisecond, and the page is full")
        if high > until:
            raise QueryFault("cut: the exchange does not heed the time up to which it is asked")


def _span(rows: list[Row]) -> tuple[int, int]:
    times = [row["timestamp"] for row in rows]
    return min(times), max(times)


def _refuse_changed(known: list[tuple[Row, Row]]) -> None:
    for before, after in known:
        if _figures(before) != _figures(after):
            raise QueryFault(f"row {quoted(after['id'])} is not what it was a page before")


def _figures(row: Row) -> list[Any]:
    """Return the figures of a trade; 1 is 1.0, as an exchange writes it in another precision."""
    amounts = [Decimal(str(row[name])) for name in ("amount", "price")]
    return [*amounts, *(row.get(name) for name in ("symbol", "side", "timestamp", "order"))]


def _refuse_other_shapes(answers: list[Any], result: Any) -> None:
    """Refuse an empty list of ccxt's where the answer of the exchange has no list."""
    if isinstance(result, list) and not result and answers and not _has_list(answers[-1], 3):
        raise QueryFault("the answer has no list of rows")


def _has_list(answer: Any, depth: int) -> bool:
    if isinstance(answer, list):
        return True
    if not isinstance(answer, dict) or not depth:
        return False
    return any(_has_list(value, depth - 1) for value in answer.values())


def _checked(result: Any, asked: Asked) -> dict[str, Row]:
    """Return the rows of a page by id; raises `QueryFault` for half of an answer."""
    if not isinstance(result, list):
        raise QueryFault("the answer is no list")
    found: dict[str, Row] = {}
    for number, row in enumerate(result, 1):
        missing = [name for name in asked.query.required if row.get(name) in (None, "")]
        if missing:
            raise QueryFault(f"row {number} does not state {', '.join(missing)}")
        name = str(row.get("id") if "id" in asked.query.required else number)
        if name in found:
            raise QueryFault(f"row {number} has the id {quoted(name)} of another row")
        found[name] = row
    if asked.query.section == "fills":
        _refuse_half_fees(found)
    return found


def _refuse_half_fees(found: Mapping[str, Row]) -> None:
    """Refuse trades of which some state a fee and others do not."""
    without = [name for name, row in found.items() if not _states_fee(row)]
    if without and len(without) < len(found):
        shown = printable(without[0], 60)
        raise QueryFault(f"trade {shown} does not state its fee, others of the page do")


def _states_fee(row: Row) -> bool:
    fees = row.get("fees") or [row.get("fee")]
    return any(isinstance(fee, dict) and fee.get("cost") is not None for fee in fees)
