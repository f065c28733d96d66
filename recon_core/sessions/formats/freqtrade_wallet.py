"""`rpc_balance.json`: the answer of a freqtrade bot's balance command, as an external side.

Currencies are the wallet's, free and used with them. A spot position is what the
wallet holds for the bot (`bot_owned`), a futures position a row with `is_position`.
The answer states no time of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from recon_core.model import (
    ANY_ASSET,
    CashBalance,
    InputFile,
    Numbers,
    Position,
    SessionMode,
    SideRecord,
    View,
)
from recon_core.sessions.files import read_text_file
from recon_core.sessions.formats import rows
from recon_core.sessions.json_text import parse_json
from recon_core.values.errors import SessionError
from recon_core.values.printable import quoted

NAME: Final = "rpc_balance.json"
_MODES: Final = {"Simulated balances": SessionMode.PAPER, "": SessionMode.LIVE}
"""By the `note` of the answer."""


class WalletError(SessionError):
    """The wallet's answer cannot be read; the message names its file already."""


@dataclass(frozen=True, slots=True)
class Wallet:
    """Holdings of the wallet, and its mode of trading where the file states it."""

    positions: tuple[Position, ...]
    cash: tuple[CashBalance, ...]
    mode: SessionMode | None
    evidence: InputFile

    def record(self, as_of: datetime) -> SideRecord:
        """The wallet as a side, at the time of the recording that it lies beside."""
        return SideRecord(
            as_of=as_of,
            source="freqtrade wallet",
            numbers=Numbers.FLOAT,
            positions=self.positions,
            cash=self.cash,
            keeps={ANY_ASSET: View.BOTH},
        )


def read_wallet(directory: Path) -> Wallet | None:
    """The answer that lies in `directory`, `None` where there is none."""
    path = directory / NAME
    if not path.exists():
        return None
    try:
        content = read_text_file(path)
        answer = rows.table(parse_json(content.text, NAME, constants=True), "the answer")
        return _wallet(answer, content.evidence)
    except SessionError as error:
        text = str(error)
        raise WalletError(text if text.startswith(NAME) else f"{NAME}: {text}") from None


def _wallet(answer: rows.Row, evidence: InputFile) -> Wallet:
    currencies = rows.table_list(answer, "currencies")
    if not currencies:
        raise SessionError("currencies: is empty; expected the stake currency at least")
    held: list[rows.Row] = rows.each(currencies, "currencies", dict)
    stake = rows.text(answer, "stake")
    return Wallet(
        positions=tuple(_positions(held, stake)),
        cash=tuple(rows.each([row for row in held if not _is_position(row)], "currencies", _cash)),
        mode=_MODES.get(str(answer.get("note"))),
        evidence=evidence,
    )


def _is_position(row: rows.Row) -> bool:
    return row.get("is_position") is True


def _positions(held: list[rows.Row], stake: str) -> Iterator[Position]:
    """Yield positions of both kinds; in futures a currency except the stake is only a balance."""
    futures = [row for row in held if _is_position(row)]
    yield from rows.each(futures, "currencies", _futures_position)
    owned = [
        row
        for row in held
        if not futures and row.get("is_bot_managed") is True and row.get("currency") != stake
    ]
    yield from rows.each(owned, "currencies", lambda row: _spot_position(row, stake))


def _futures_position(row: rows.Row) -> Position:
    quantity, side = rows.number(row, "position"), rows.text(row, "side")
    if side not in ("long", "short"):
        raise SessionError(f"side: {quoted(side)}; expected long or short")
    signed = quantity.copy_abs()
    return Position(rows.text(row, "currency"), signed if side == "long" else -signed)


def _spot_position(row: rows.Row, stake: str) -> Position:
    return Position(f"{rows.text(row, 'currency')}/{stake}", rows.number(row, "bot_owned"))


def _cash(row: rows.Row) -> CashBalance:
    return CashBalance(
        currency=rows.text(row, "currency"),
        total=rows.number(row, "balance"),
        free=rows.optional_number(row, "free"),
        locked=rows.optional_number(row, "used"),
    )
