"""JSON as the session format reads it: numbers as text, nothing ambiguous."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from recon_core.values.amounts import NumberText
from recon_core.values.errors import SessionError
from recon_core.values.limits import JSON_KEYS, JSON_OBJECTS, JSON_VALUES, LimitError, refuse_above
from recon_core.values.printable import printable, quoted

MAX_DEPTH: Final = 64
"""Levels of nesting; deeper values would exhaust the stack of their readers."""
_ALWAYS: Final = 1000
"""Keys that every object may have; asking for the limit in force costs more than a row."""
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


class _RefusedError(ValueError):
    """A document that JSON allows and the session format does not."""


def parse_json(text: str, name: str, *, constants: bool = False, any_depth: bool = False) -> Any:
    """Parse one document; `name` is the file in messages. Raises `SessionError`.

    Numbers become `NumberText`. Duplicate keys, `NaN`, `Infinity`, lone surrogates and
    nesting deeper than 64 levels are refused. With `constants`, which foreign recordings
    have in statistics that nobody compares, `NaN` and `Infinity` are kept as text that no
    amount accepts. With `any_depth` the caller asks `refuse_deep` itself, which looks at
    every value once more.
    """
    refuse_many(text, name)
    try:
        document = (_FOREIGN_DECODER if constants else _DECODER).decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        problem = error.msg.lower().removesuffix(" at")
        raise SessionError(f"{name}: is not JSON: {problem} at {where}") from None
    except (_RefusedError, LimitError) as error:
        raise SessionError(f"{name}: {error}") from None
    except RecursionError:
        raise SessionError(_too_deep(name)) from None
    if not any_depth:
        refuse_deep(document, name)
    if _SURROGATE_ESCAPE.search(text):
        _refuse_surrogates(document, name)
    return document


def refuse_many(text: str, name: str) -> None:
    """Refuse a text of too many values, before any is built; commas within texts count too."""
    refuse_above(JSON_OBJECTS, text.count("{") + text.count("["), f"{name}: ")
    refuse_above(JSON_VALUES, text.count(",") + 1, f"{name}: ")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > _ALWAYS:
        refuse_above(JSON_KEYS, len(pairs), "an object ")
    table = dict(pairs)
    if len(table) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _RefusedError(f"duplicate key {quoted(key)} in one object")
            seen.add(key)
    return table


def _constant(text: str) -> Any:
    raise _RefusedError(f"{text} is not an amount; expected a plain decimal")


def _decoder(parse_constant: Callable[[str], Any]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_float=NumberText,
        parse_int=NumberText,
        parse_constant=parse_constant,
    )


_DECODER: Final = _decoder(_constant)
_FOREIGN_DECODER: Final = _decoder(NumberText)


def refuse_deep(document: Any, name: str) -> None:
    """Raise `SessionError` where a document is nested deeper than 64 levels."""
    if _deeper_than(document, MAX_DEPTH):
        raise SessionError(_too_deep(name))


def _too_deep(name: str) -> str:
    return f"{name}: is nested deeper than {MAX_DEPTH} levels"


def _deeper_than(document: Any, limit: int) -> bool:
    """True if containers are nested deeper than `limit`, level by level."""
    level = [document] if isinstance(document, dict | list) else []
    for _ in range(limit):
        level = [
            inner
            for container in level
            for inner in (container.values() if type(container) is dict else container)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _refuse_surrogates(document: Any, name: str) -> None:
    """Refuse half a character: no encoder can write it, and pytest breaks on it."""
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.keys()
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, str) and (half := _SURROGATE.search(value)):
            # Only the half itself is shown: the text may be that of an unknown key.
            raise SessionError(
                f"{name}: a text holds the lone surrogate {printable(half[0])}; "
                "expected whole characters"
            )
