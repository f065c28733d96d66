"""Databases of a freqtrade bot: cells, rows and columns changed by SQL, and bytes."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

from fuzz.answer import Answer, judged
from fuzz.changes import Files, changed_bytes

from .kind import DATA, Kind, files_in

_NAME = "tradesv3.dryrun.sqlite"
_ODD = (None, -1, 0, 1e308, 2**62, "x", "1e5", "2026-01-01", b"\x00\xff", "1" * 300, 0.5)


def _seeds() -> Sequence[Files]:
    files = files_in(DATA / "freqtrade" / "dry_spot_dca")
    with closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(files[_NAME])
        for (index,) in base.execute(
            "select name from sqlite_master where type = 'index' and sql is not null"
        ).fetchall():
            base.execute(f'drop index "{index}"')
        base.commit()
        base.execute("vacuum")
        files[_NAME] = base.serialize()
    return [files]


def _change(random: Random, files: Files) -> Files:
    content = files[_NAME]
    if random.random() < 0.2:
        return files | {_NAME: changed_bytes(random, content)}
    try:
        return files | {_NAME: _changed_base(random, content)}
    except (sqlite3.Error, OverflowError, UnicodeDecodeError):  # of a changed name, too
        return files | {_NAME: changed_bytes(random, content)}


def _changed_base(random: Random, content: bytes) -> bytes:
    with closing(sqlite3.connect(":memory:")) as base:
        base.deserialize(content)
        names = [
            name for (name,) in base.execute("select name from sqlite_master where type = 'table'")
        ]
        table = random.choice(sorted({"trades", "orders", random.choice(names)}))
        columns = [row[1] for row in base.execute(f'pragma table_info("{table}")')]
        rows = [row for (row,) in base.execute(f'select rowid from "{table}"')]
        column, row = random.choice(columns), random.choice(rows or [0])
        where = f'"{table}" where rowid = {row}'
        kind = random.randrange(6)
        if kind == 0:
            base.execute(f"delete from {where}")
        elif kind == 1:
            base.execute(f'alter table "{table}" rename column "{column}" to "other"')
        elif kind == 2:
            base.execute(f'update "{table}" set "{column}" = -"{column}" where rowid = {row}')
        elif kind == 3:
            base.execute(f'update "{table}" set "{column}" = "{column}" * 1.05 where rowid = {row}')
        else:
            value = random.choice(_ODD)
            base.execute(f'update "{table}" set "{column}" = ? where rowid = {row}', [value])
        base.commit()
        return base.serialize()


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("freqtrade-bot", 10, _seeds, _answer, _change)
