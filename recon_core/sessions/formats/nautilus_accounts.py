"""The account reports of nautilus_trader: terms, opening, last balances, precision."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from recon_core.model import CashBalance, Currency
from recon_core.sessions.formats.nautilus_rows import Row, balance, money
from recon_core.sessions.formats.rows import each_of
from recon_core.values.amounts import decimal_places
from recon_core.values.errors import ReconError, SessionError


@dataclass(frozen=True, slots=True)
class Report:
    """A table that the engine wrote: the file's name, and its rows as text."""

    name: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """Terms of an account: its type, and the one currency it keeps, if it has one."""

    account_type: str
    base_currency: str


class Accounts:
    """The accounts of a recording by the instruments that trade on them."""

    def __init__(self, reports: Mapping[str, Report], fills: Iterable[Row]) -> None:
        self._by_venue: dict[str, AccountTerms] = {}
        by_id: dict[str, AccountTerms] = {}
        for venue, report in reports.items():
            terms = _terms(report.rows)
            self._by_venue[venue] = terms
            ids = {row.get("account_id", "") for row in report.rows}
            by_id.update(dict.fromkeys(ids - {""}, terms))
        accounts = {row.get("instrument_id"): row.get("account_id", "") for row in fills}
        self._by_symbol = {
            symbol: by_id[account] for symbol, account in accounts.items() if account in by_id
        }

    def terms_of(self, symbol: str) -> AccountTerms | None:
        """The terms of the account that a symbol trades on: by its fills, else by its venue."""
        return self._by_symbol.get(symbol) or self._by_venue.get(symbol.rpartition(".")[2])


def _terms(rows: list[Row]) -> AccountTerms:
    """A report of mixed types counts as none of them."""
    types = {row.get("account_type", "") for row in rows}
    currencies = {row.get("base_currency", "") for row in rows}
    return AccountTerms("/".join(sorted(types)), max(currencies, default=""))


def stated_balances(accounts: Iterable[Report]) -> list[CashBalance]:
    """Every row of the account reports."""
    return [one for report in accounts for one in each_of(report.rows, report.name, balance)]


def last_balances(stated: Iterable[CashBalance]) -> tuple[CashBalance, ...]:
    """The last row of each account and currency counts; several share one time."""
    return tuple({(one.account, one.currency): one for one in stated}.values())


def opening_of(texts: list[str], rows: list[Row]) -> list[CashBalance]:
    """The configured balances of a venue, in the account that its report names."""
    account = next((row["account_id"] for row in rows if row.get("account_id")), None)
    try:
        parsed = [money(text, "configured_starting_balances") for text in texts]
    except ReconError as error:
        raise SessionError(f"meta.json: {error}") from None
    return [CashBalance(currency, total, account=account) for total, currency in parsed]


def precisions(stated: Iterable[CashBalance]) -> dict[str, Currency]:
    """The decimals that the balances are printed with: what the engine rounds to."""
    places: dict[str, int] = {}
    for one in stated:
        places[one.currency] = max(places.get(one.currency, 0), decimal_places(one.total))
    return {code: Currency(code, precision) for code, precision in places.items()}


def strategies(report: Report) -> set[str]:
    """The strategies that a report names."""
    return {row.get("strategy_id", "") for row in report.rows}
