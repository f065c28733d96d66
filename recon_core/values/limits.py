"""Limits on an input: a hostile file costs one CRITICAL item, not the machine.

Each limit has a name, a unit and a default that a large honest recording never meets:
1,000,000 fills a side in CSV or Parquet, 200,000 a side in JSON. The setting `recon_limits`
and the options `--recon-limit NAME=N` (pytest) and `--limit NAME=N` (`recon`) change
them; the message of a limit names the value found, the limit and the setting.

The limits in force belong to the process: `use_limits` puts changes into force and
returns the function that puts the former ones back, `limits_in_force` does so around a
block. Readers ask `refuse_above`; those of a format plugin too, in any thread.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from recon_core.values.errors import ReconError, SessionError
from recon_core.values.printable import printable, quoted

MIB: Final = 1024 * 1024
"""Bytes; limits of memory are multiples of it."""
_MOST_DIGITS: Final = 15
"""Digits of a limit that a user sets; no machine has so many bytes."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on one cost of an input: its setting, its default, and the reason of that.

    One that is not `deciding` says how an input is read, and every answer is the same for it.
    """

    name: str
    default: int
    unit: str
    reason: str
    deciding: bool = True

    @property
    def most(self) -> int:
        """The bound in force."""
        return _changes.get(self.name, self.default)


class LimitError(SessionError):
    """An input costs more than a limit allows."""


FILE_BYTES: Final = Limit(
    "file_bytes", 256 * MIB, "bytes", "one file; 1,000,000 fills are 100 to 220 MiB of CSV"
)
JSON_BYTES: Final = Limit(
    "json_bytes", 192 * MIB, "bytes", "one JSON file; 200,000 fills a side are 90 to 130 MiB"
)
JSON_VALUES: Final = Limit(
    "json_values", 8_000_000, "values", "one JSON file; 400,000 fills of 13 fields are 5,600,000"
)
JSON_OBJECTS: Final = Limit(
    "json_objects", 2_000_000, "objects and lists", "one JSON file; an object is a row"
)
JSON_KEYS: Final = Limit(
    "json_keys", 100_000, "keys", "one JSON object; symbols of an account are far fewer"
)
TABLE_ROWS: Final = Limit(
    "table_rows", 2_000_000, "rows", "one table of CSV, JSON Lines, Parquet or SQLite"
)
TABLE_COLUMNS: Final = Limit("table_columns", 1_000, "columns", "one table; the widest have 60")
TABLE_VALUES: Final = Limit(
    "table_values", 20_000_000, "values", "rows times columns; 1,000,000 fills have 13,000,000"
)
TEXT_LENGTH: Final = Limit(
    "text_length", 131_072, "characters", "one cell of a table; Python's own limit for CSV"
)
LINE_BYTES: Final = Limit("line_bytes", MIB, "bytes", "one line of a table; 1,000 long cells")
PARQUET_BYTES: Final = Limit(
    "parquet_bytes", 256 * MIB, "bytes", "the texts of a Parquet table when they are unpacked"
)
PARQUET_COLUMN_BYTES: Final = Limit(
    "parquet_column_bytes", 96 * MIB, "bytes", "a column in one row group; 1,048,576 ids are 46 MiB"
)
COLUMN_ROWS: Final = Limit(
    "column_rows",
    50_000,
    "rows",
    "a table of orders, fills or movements from which on it is read in columns, with the extra "
    "columns; DuckDB takes 0.2 s to start, in which Python reads 50,000",
    deciding=False,
)
SQLITE_STEPS: Final = Limit(
    "sqlite_steps", 500, "million steps", "SQLite's work on one file; 2,000,000 rows need 200"
)
ZIP_BYTES: Final = Limit(
    "zip_bytes", 192 * MIB, "bytes", "the result of a backtest when it is unpacked"
)
ZIP_DIRECTORY_BYTES: Final = Limit(
    "zip_directory_bytes", MIB, "bytes", "the list of an archive's members; 1 MiB names 10,000"
)
URL_BYTES: Final = Limit(
    "url_bytes",
    1024 * MIB,
    "bytes",
    "all files of one session by URL; 1,000,000 fills a side are 440 MiB",
)
URL_FILES: Final = Limit(
    "url_files", 2_000_000, "files", "those below one URL; a night of 1,000,000 sessions"
)
TOML_BYTES: Final = Limit(
    "toml_bytes", MIB, "bytes", "one TOML or ini file; a policy of 10,000 symbols is 300 KiB"
)
TOML_DOTS: Final = Limit(
    "toml_dots", 32, "dots", "one key of TOML; reading costs their square, a policy has 2"
)

LIMITS: Final = (
    FILE_BYTES,
    JSON_BYTES,
    JSON_VALUES,
    JSON_OBJECTS,
    JSON_KEYS,
    TABLE_ROWS,
    TABLE_COLUMNS,
    TABLE_VALUES,
    TEXT_LENGTH,
    LINE_BYTES,
    PARQUET_BYTES,
    PARQUET_COLUMN_BYTES,
    COLUMN_ROWS,
    SQLITE_STEPS,
    ZIP_BYTES,
    ZIP_DIRECTORY_BYTES,
    URL_BYTES,
    URL_FILES,
    TOML_BYTES,
    TOML_DOTS,
)
"""Every limit, in the order of the documentation."""

_BY_NAME: Final = {limit.name: limit for limit in LIMITS}
_changes: dict[str, int] = {}


def refuse_above(limit: Limit, found: int, subject: str = "", *, at_least: bool = False) -> None:
    """Raise `LimitError` where `found` is above the limit in force.

    `subject` begins the message, such as `fills.csv: `; with `at_least` counting has
    stopped at `found`.
    """
    if found > limit.most:
        raise limit_error(limit, found, subject, at_least=at_least)


def limit_error(
    limit: Limit, found: int, subject: str = "", *, at_least: bool = False
) -> LimitError:
    """The error of an input that has `found` where the limit is lower."""
    more, enough = ("at least ", "N") if at_least else ("", str(found))
    return LimitError(
        f"{subject}has {more}{found} {limit.unit}; expected at most {limit.most} "
        f"(the setting recon_limits raises it: {limit.name} = {enough})"
    )


def use_limits(changes: Mapping[str, int]) -> Callable[[], None]:
    """Put changed limits into force in place of all others; returns what restores the former."""
    global _changes  # one set of limits is in force in a process
    former, _changes = _changes, dict(changes)

    def restore() -> None:
        global _changes  # noqa: PLW0603  # as above
        _changes = former

    return restore


@contextmanager
def limits_in_force(changes: Mapping[str, int]) -> Iterator[None]:
    """Put changed limits into force around a block."""
    restore = use_limits(changes)
    try:
        yield
    finally:
        restore()


def read_limits(lines: Iterable[str], where: str) -> dict[str, int]:
    """Limits from lines like `json_bytes = 400000000`; the last line of a name holds.

    `where` is the setting or option in messages. Raises `ReconError` for a name that is
    no limit and for a value that is no whole number above 0.
    """
    return dict(_read_limit(line, where) for line in lines)


def _read_limit(line: str, where: str) -> tuple[str, int]:
    name, separator, value = (part.strip() for part in line.partition("="))
    if not separator:
        raise ReconError(f"{where}: {quoted(line)}; expected NAME=N, like json_bytes=400000000")
    if name not in _BY_NAME:
        raise ReconError(f"{where}: {quoted(name)} is no limit; {_expected(name)}")
    digits = value.replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS and int(digits)):
        raise ReconError(f"{where}: {name}: {quoted(value)}; expected a whole number above 0")
    return name, int(digits)


def _expected(name: str) -> str:
    near = difflib.get_close_matches(name[:100], _BY_NAME, n=1)
    return f"did you mean {near[0]}?" if near else f"expected one of {', '.join(_BY_NAME)}"


def changed_limits() -> dict[str, int]:
    """The limits in force that differ from their defaults, by name."""
    return {limit.name: limit.most for limit in LIMITS if limit.most != limit.default}


def deciding_limits() -> dict[str, int]:
    """The same, of the limits that decide what can be read: they are evidence."""
    return {limit.name: limit.most for limit in _changed_deciding()}


def _changed_deciding() -> list[Limit]:
    return [limit for limit in LIMITS if limit.deciding and limit.most != limit.default]


def limits_line() -> str | None:
    """`limits json_bytes = 400000000 (default 201326592)`, `None` where none is changed."""
    changed = [
        f"{limit.name} = {limit.most} (default {limit.default})" for limit in _changed_deciding()
    ]
    return f"limits {', '.join(changed)}" if changed else None


def lines_of(value: object, where: str) -> list[str]:
    """The lines of a setting, which configuration files have as text or as a list of text."""
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ReconError(f"{where}: {printable(type(value).__name__)}; expected lines NAME = N")
    return [line.strip() for line in lines if line.strip()]
