"""Seeded changes of files by their structure: JSON, tables, lines of text, bytes.

A change of JSON walks from the root to a random child, again and again, so that a section
with two rows is changed as often as one with two thousand.
"""

import copy
import csv
import io
import json
from collections.abc import Callable
from pathlib import PurePath
from random import Random
from typing import Any

Files = dict[str, bytes]
"""The files of one input, by their path in its directory."""

_STAYS = 0.75
_ODD: tuple[Any, ...] = (
    None,
    True,
    [],
    {},
    {"x": "y"},
    [[]],
    "",
    " ",
    0,
    -1,
    1e308,
    0.1,
    "0",
    "-0",
    "1e5",
    "NaN",
    "0.1",
    "-0.000000000000000000000000000001",
    "9" * 30,
    "9" * 31,
    "1" * 400,
    "BTC/EUR",
    "../../etc/passwd",
    "%00\x00::[x]",
    "\u202eabc",
    "\ud800",
    "2026-01-01T12:00:00Z",
    "2026-01-01",
    "0001-01-01T00:00:00+14:00",
)
_WORDS = tuple(str(word) for word in _ODD if isinstance(word, str) and word.isprintable())


def changed_files(random: Random, files: Files) -> Files:
    """The files with one of them changed, by its suffix."""
    name = random.choice(sorted(files))
    return files | {name: changed_file(random, name, files[name])}


def changed_file(random: Random, name: str, content: bytes) -> bytes:
    """One file changed by its structure, at times as bytes."""
    change = _BY_SUFFIX.get(PurePath(name).suffix, changed_lines)
    if random.random() < 0.08:
        change = changed_bytes
    return change(random, content)


def changed_json_file(random: Random, content: bytes) -> bytes:
    """A JSON file with one to three changes."""
    try:
        document = json.loads(content)
    except ValueError:
        return changed_bytes(random, content)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        document = changed_json(random, document)
    return json_bytes(document)


def json_bytes(document: Any) -> bytes:
    """A document as the bytes of a file; lone surrogates stay escapes."""
    return json.dumps(document).encode()


def changed_json(random: Random, document: Any) -> Any:
    """A copy of a document with one change somewhere in it."""
    root = [copy.deepcopy(document)]
    container, key = _walk(random, root)
    if isinstance(container, list):
        random.choice(_OF_LISTS)(random, container, key)
    else:
        random.choice(_OF_TABLES)(random, container, key)
    return root[0] if root else None


def _walk(random: Random, root: list[Any]) -> tuple[Any, Any]:
    container: Any = root
    key: Any = 0
    while True:
        value = container[key]
        if not value or not isinstance(value, list | dict) or random.random() > _STAYS + 0.15:
            return container, key
        container = value
        key = (
            random.choice(list(value)) if isinstance(value, dict) else random.randrange(len(value))
        )


def _value(random: Random, container: Any, key: Any) -> None:
    container[key] = changed_value(random, container[key])


def _odd(random: Random, container: Any, key: Any) -> None:
    container[key] = copy.deepcopy(random.choice(_ODD))


def _remove(_random: Random, container: Any, key: Any) -> None:
    del container[key]


def _double(_random: Random, container: list[Any], key: int) -> None:
    container.insert(key, copy.deepcopy(container[key]))


def _exchange(random: Random, container: Any, key: Any) -> None:
    keys = list(container) if isinstance(container, dict) else range(len(container))
    other = random.choice(list(keys))
    container[key], container[other] = container[other], container[key]


def _rename(random: Random, container: dict[str, Any], key: str) -> None:
    container[random.choice((*_WORDS, key + "s", key.upper()))] = container.pop(key)


def _add(random: Random, container: dict[str, Any], _key: str) -> None:
    container[random.choice(_WORDS)] = copy.deepcopy(random.choice(_ODD))


_OF_LISTS: tuple[Callable[[Random, Any, Any], None], ...] = (
    _value,
    _value,
    _value,
    _odd,
    _remove,
    _double,
    _exchange,
)
_OF_TABLES: tuple[Callable[[Random, Any, Any], None], ...] = (
    _value,
    _value,
    _value,
    _odd,
    _remove,
    _exchange,
    _rename,
    _add,
)


def changed_value(random: Random, value: Any) -> Any:
    """Another value of the same type: a number near it, far from it, or text changed."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return random.choice((-value, value * 1.05, value + 1, value * 10**20, 0))
    if isinstance(value, str):
        return _changed_text(random, value)
    return random.choice(_ODD)


def _changed_text(random: Random, text: str) -> str:
    try:
        number = float(text)
    except ValueError:
        number = None
    if number is None:
        place = random.randrange(len(text) + 1)
        return random.choice((text[:place], text[place:], text + text, text.swapcase(), "x" + text))
    tail = text.partition(".")[2]
    near = f"{number * random.choice((1.05, 1.0001, 0.5, 2)):.{min(len(tail), 30)}f}"
    return random.choice(
        (near, near, near, f"-{text}".removeprefix("--"), text + "1", "0", text + "0")
    )


def changed_table_file(random: Random, content: bytes) -> bytes:
    """A CSV table with a cell, a row or a column changed."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode())))
    except (UnicodeDecodeError, csv.Error):
        return changed_bytes(random, content)
    if not rows:
        return changed_bytes(random, content)
    for _ in range(random.choice((1, 1, 2))):
        random.choice((_cell, _cell, _cell, _row, _column))(random, rows)
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def _cell(random: Random, rows: list[list[str]]) -> None:
    row = random.choice(rows)
    if row:
        place = random.randrange(len(row))
        row[place] = random.choice((_changed_text(random, row[place]), random.choice(_WORDS)))


def _row(random: Random, rows: list[list[str]]) -> None:
    place = random.randrange(len(rows))
    random.choice(_OF_LISTS[-3:])(random, rows, place)
    rows[:] = rows or [[]]


def _column(random: Random, rows: list[list[str]]) -> None:
    place = random.randrange(max(1, len(rows[0])))
    for row in rows:
        if place < len(row):
            del row[place]


def changed_lines(random: Random, content: bytes) -> bytes:
    """Text with a line changed: TOML, JSON Lines and what has no structure known here."""
    lines = content.splitlines(keepends=True) or [b""]
    place = random.randrange(len(lines))
    kind = random.randrange(5)
    if kind == 0:
        del lines[place]
    elif kind == 1:
        lines.insert(place, random.choice(lines))
    elif kind == 2:
        lines[place] = changed_bytes(random, lines[place])
    else:
        lines[place] = _changed_words(random, lines[place])
    return b"".join(lines)


def _changed_words(random: Random, line: bytes) -> bytes:
    words = line.decode("utf-8", "replace").split('"')
    place = random.randrange(len(words))
    odd = random.choice((random.choice(_WORDS), "true", "[]", "1.5", "{a = 1}"))
    words[place] = random.choice((_changed_text(random, words[place]), odd))
    return '"'.join(words).encode("utf-8", "surrogatepass")


def changed_bytes(random: Random, content: bytes) -> bytes:
    """Bytes flipped, cut, doubled or put in."""
    place = random.randrange(len(content) + 1)
    end = min(len(content), place + random.choice((1, 1, 4, 64)))
    return random.choice(
        (
            content[:place],
            content[:place] + content[end:],
            content[:place] + content[place:end] * 2 + content[end:],
            content[:place] + random.randbytes(1) + content[place + 1 :],
            content[:place]
            + random.choice((b'"', b"{", b"]", b"\x00", b"\xff", b"\n"))
            + content[place:],
        )
    )


_BY_SUFFIX: dict[str, Callable[[Random, bytes], bytes]] = {
    ".json": changed_json_file,
    ".csv": changed_table_file,
}
