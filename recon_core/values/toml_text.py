"""TOML of bounded cost: policies, mappings, and the settings in pytest's own files."""

import re
import tomllib
from typing import Any, Final

from recon_core.values.errors import ReconError
from recon_core.values.limits import TOML_BYTES, TOML_DOTS, LimitError, refuse_above
from recon_core.values.printable import printable

_MOST_BITS: Final = 128
"""Of an integer: an amount has at most 30 digits; writing a long one out costs their square."""

_BARE: Final = r"[A-Za-z0-9_-]++"
_PART: Final = rf"""(?:{_BARE}|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""


class TomlError(ReconError):
    """A text is no TOML; the message follows the name of a file."""


def parse_toml(content: bytes, parse_float: Any = float) -> dict[str, Any]:
    """Read one document; raises `TomlError` for what is none, or costs more than it may."""
    try:
        refuse_above(TOML_BYTES, len(content))
        text = content.decode("utf-8")
        _refuse_dotted(text)
        document = tomllib.loads(text, parse_float=parse_float)
        _refuse_long(document)
    except LimitError as error:
        raise TomlError(str(error)) from None
    except UnicodeDecodeError:
        raise TomlError("is not UTF-8 text; expected a TOML file") from None
    except RecursionError:
        raise TomlError("is not TOML: is nested too deep") from None
    except tomllib.TOMLDecodeError as error:
        raise TomlError(f"is not TOML: {printable(error)}") from None
    except ValueError:  # of int(), whose words speak of Python's own settings
        raise TomlError("holds an integer that is too long to be read") from None
    return document


def _refuse_dotted(text: str) -> None:
    """Refuse a key of many parts before tomllib, whose cost is their square, looks at it."""
    most = TOML_DOTS.most
    # As in `a."b".c`; where a bare part has begun is no place to begin.
    chain = rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{{most + 1}}}"
    if text.count(".") > most and re.search(chain, text):
        refuse_above(TOML_DOTS, most + 1, "a key ", at_least=True)


def _refuse_long(document: Any) -> None:
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, int) and value.bit_length() > _MOST_BITS:
            raise TomlError(f"holds an integer of {value.bit_length()} bits; expected {_MOST_BITS}")
