"""The zip of a freqtrade backtest: one member is read, bounded, and nothing is unpacked."""

import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

from recon_core.model import (
    CashBalance,
    InputFile,
    Numbers,
    Opening,
    RecordedSession,
    SessionMode,
    SideRecord,
)
from recon_core.sessions.files import read_bytes
from recon_core.sessions.formats import rows
from recon_core.sessions.formats.freqtrade_trades import (
    FilledOrder,
    Trade,
    contradictions,
    currencies,
    futures_state,
    instruments,
    open_positions,
    order_side,
    trading_mode,
)
from recon_core.sessions.json_text import parse_json
from recon_core.values.amounts import ZERO
from recon_core.values.errors import ReconError, SessionError
from recon_core.values.limits import ZIP_BYTES, ZIP_DIRECTORY_BYTES, refuse_above
from recon_core.values.printable import printable, quoted

_MOST_EXPANSION: Final = 100
"""Unpacked bytes of a packed byte; a zip bomb has far more, and text far fewer."""
_SMALL: Final = 1024 * 1024
"""Bytes: a member that unpacks to no more is harmless at any ratio."""
_ENCRYPTED: Final = 1
"""Bit of the flags of a member of a zip file."""
_END: Final = struct.Struct("<4s4H2LH")
"""The end of an archive; its sixth field is the size of the list of members."""
_END_MARK: Final = b"PK\5\6"
_LARGE_MARK: Final = b"PK\6\7"
_ALL_PAIRS: Final = "TOTAL"
"""Key of the last row of `results_per_pair`, the sum of all."""
_MOST_PAIRS: Final = 3
"""Pairs that an error names: it is one line."""
_MOST_END: Final = _END.size + 65_535


def read_zip(path: Path) -> RecordedSession:
    """Read a backtest result; raises `SessionError` with one clear line."""
    name = printable(path.name)
    content = read_bytes(path)
    try:
        return _session(path, _result(content, name), hashlib.sha256(content).hexdigest())
    except ReconError as error:
        raise SessionError(f"{name}: {error}") from None


def opened_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Open an archive whose list of members is short enough to be read; raises `SessionError`.

    `zipfile` makes an object of some KiB of every member before anything can be asked.
    """
    file.seek(0, os.SEEK_END)
    tail = min(file.tell(), _MOST_END)
    file.seek(-tail, os.SEEK_END)
    end = file.read(tail)
    start = len(end) - _END.size
    if start < 0 or not end.startswith(_END_MARK, start) or not end.endswith(b"\0\0"):
        start = end.rfind(_END_MARK)
    if _LARGE_MARK in end:
        raise SessionError("is an archive of more than 65535 members or 4 GiB")
    if 0 <= start <= len(end) - _END.size:
        refuse_above(ZIP_DIRECTORY_BYTES, _END.unpack_from(end, start)[5], "its list of members ")
    return zipfile.ZipFile(file)


def result_name(names: Iterable[str], archive: str) -> str:
    """The member that holds the result: the JSON file whose name all others continue.

    Raises `SessionError` where there is none at the top of the archive.
    """
    candidates = sorted(
        {name for name in names if name.endswith(".json") and not {"/", "\\"} & set(name)},
        key=len,
    )
    stems = [name.removesuffix(".json") for name in candidates]
    if not stems or not all(stem.startswith(f"{stems[0]}_") for stem in stems[1:]):
        expected = printable(f"{archive.removesuffix('.zip')}.json", 60)
        raise SessionError(f"holds no backtest result; expected a member like '{expected}'")
    return candidates[0]


def _result(content: bytes, archive: str) -> Any:
    try:
        with opened_archive(io.BytesIO(content)) as opened:
            member = _member(opened, archive)
            data = _bounded(opened, member)
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, OSError) as error:
        raise SessionError(f"is no readable zip: {printable(error, 100)}") from None
    except (NotImplementedError, RuntimeError, OverflowError) as error:
        raise SessionError(f"cannot be unpacked: {printable(error, 100)}") from None
    name = printable(member.filename, 100)
    try:
        return parse_json(data.decode("utf-8"), name, constants=True)
    except UnicodeDecodeError as error:
        raise SessionError(f"{name}: byte {error.start} is not UTF-8") from None


def _member(opened: zipfile.ZipFile, archive: str) -> zipfile.ZipInfo:
    """The member with the result, refused where unpacking it would be no good idea."""
    names = opened.namelist()
    found = result_name(names, archive)
    shown = printable(found, 100)
    if names.count(found) > 1:
        raise SessionError(f"{shown}: duplicate in the archive")
    member = opened.getinfo(found)
    if member.flag_bits & _ENCRYPTED:
        raise SessionError(f"{shown}: is encrypted; expected a plain zip")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise SessionError(f"{shown}: is compressed by method {member.compress_type}")
    refuse_above(ZIP_BYTES, member.file_size, f"{shown}: ")
    if member.file_size > max(_SMALL, _MOST_EXPANSION * member.compress_size):
        raise SessionError(
            f"{shown}: grows from {member.compress_size} to {member.file_size} bytes; "
            f"expected at most {_MOST_EXPANSION} times"
        )
    return member


def _bounded(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """The content; what the archive says of its size is not believed."""
    with opened.open(member) as stream:
        data = stream.read(member.file_size + 1)
    if len(data) != member.file_size:
        raise SessionError(f"{printable(member.filename, 100)}: is cut off")
    return data


def _session(path: Path, document: Any, digest: str) -> RecordedSession:
    strategy, result = _only_strategy(document)
    trades = rows.each(rows.table_list(result, "trades"), "trades", _Reader(result).trade)
    _require_all(result, [trade.pair for trade in trades])
    stake = rows.text(result, "stake_currency")
    fills = tuple(fill for trade in trades for fill in trade.fills())
    opening = (CashBalance(stake, rows.number(result, "starting_balance")),)
    times = [trade.time for trade in trades] + [fill.time for fill in fills]
    ended = rows.milliseconds(result, "backtest_end_ts")
    if ended is None and not times:
        raise SessionError("backtest_end_ts: is missing; expected milliseconds")
    as_of = max([*times, *([ended] if ended else [])])
    movements = tuple(one for trade in trades if (one := trade.funding_movement()))
    positions, cash = (
        futures_state(opening, trades)
        if any(trade.mode == "futures" for trade in trades)
        else (None, None)
    )
    return RecordedSession(
        session_id=path.name.removesuffix(".zip"),
        anchor=path,
        strategy_id=strategy,
        mode=SessionMode.SIM,
        instruments=instruments(trades),
        currencies=currencies(trades),
        internal=SideRecord(
            as_of=as_of,
            source="freqtrade trades",
            numbers=Numbers.FLOAT,
            positions=positions,
            cash=cash,
            fills=fills,
            movements=movements or None,
            opening=Opening(None, cash=opening),
        ),
        external=SideRecord(
            as_of=as_of,
            source="freqtrade final balance",
            numbers=Numbers.FLOAT,
            positions=open_positions(trades),
            cash=(CashBalance(stake, rows.number(result, "final_balance")),),
        ),
        inputs=(InputFile(printable(path.name), digest),),
        notes=tuple(contradictions(trades)),
    )


def _require_all(result: rows.Row, pairs: Sequence[str]) -> None:
    """Refuse a list of trades that is not as long as freqtrade itself counted, by pair.

    `pairs` are those of the listed trades. A result of an older version counts nothing.
    """
    if result.get("total_trades") is None:
        return
    counted = rows.number(result, "total_trades")
    if counted == len(pairs):
        return
    listed = Counter(pairs)
    others = [
        f"{printable(key, 60)} {listed[key]} of {count}"
        for row in rows.each(rows.table_list(result, "results_per_pair"), "results_per_pair", dict)
        if (key := rows.text(row, "key")) != _ALL_PAIRS
        and (count := rows.number(row, "trades")) != listed[key]
    ]
    by_pair = f" ({', '.join(others[:_MOST_PAIRS])})" if others else ""
    raise SessionError(f"trades: lists {len(pairs)}; expected total_trades, {counted}{by_pair}")


def _only_strategy(document: Any) -> tuple[str, rows.Row]:
    strategies = rows.table(rows.table(document, "the result").get("strategy"), "strategy")
    if len(strategies) != 1:
        names = ", ".join(quoted(name, 40) for name in list(strategies)[:5]) or "none"
        raise SessionError(f"strategy: holds {len(strategies)} ({names}); expected one")
    name, result = next(iter(strategies.items()))
    return name, rows.table(result, quoted(name))


class _Reader:
    """Reads the trades of one result; they are numbered, for they have no ids."""

    def __init__(self, result: rows.Row) -> None:
        self._mode = trading_mode(rows.optional_text(result, "trading_mode"))
        self._count = 0

    def trade(self, row: rows.Row) -> Trade:
        self._count += 1
        orders = rows.table_list(row, "orders")
        filled = [
            self._order(order, index)
            for index, order in enumerate(rows.each(orders, "orders", dict), 1)
            if order.get("order_filled_timestamp") is not None
        ]
        closed = rows.milliseconds(row, "close_timestamp")
        opened = rows.milliseconds(row, "open_timestamp")
        times = [time for time in (closed, opened, *(order.time for order in filled)) if time]
        if not times:
            raise SessionError("open_timestamp: is missing; expected milliseconds")
        is_short, is_open = rows.flag(row, "is_short"), rows.flag(row, "is_open")
        amount = rows.number(row, "amount") if is_open else ZERO
        return Trade(
            trade_id=str(self._count),
            pair=rows.text(row, "pair"),
            mode=self._mode,
            entry_fee=rows.number(row, "fee_open"),
            exit_fee=rows.number(row, "fee_close"),
            funding=rows.optional_number(row, "funding_fees") or ZERO,
            open_quantity=amount.copy_negate() if is_short else amount,
            time=max(times),
            stated_profit=None if is_open else rows.optional_number(row, "profit_abs"),
            orders=tuple(filled),
        )

    def _order(self, row: rows.Row, index: int) -> FilledOrder:
        time = rows.milliseconds(row, "order_filled_timestamp")
        assert time is not None  # noqa: S101  # the caller has looked
        return FilledOrder(
            fill_id=f"{self._count}.{index}",
            side=order_side(rows.text(row, "ft_order_side")),
            is_entry=rows.flag(row, "ft_is_entry"),
            quantity=rows.number(row, "amount"),
            price=rows.number(row, "safe_price"),
            time=time,
        )
