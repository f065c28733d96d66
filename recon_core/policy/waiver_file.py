"""Files of waivers: `recon-waivers.toml` by hand, `recon-baseline.toml` generated.

Both have the same entries; unknown keys are errors, and an id occurs once in all files.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from recon_core.model.comparison import ItemKind
from recon_core.model.explanation import CauseKind
from recon_core.policy.toml_file import load_toml, numbers_as_text
from recon_core.policy.waivers import Waiver, Waivers
from recon_core.values.errors import PolicyError
from recon_core.values.fields import FileTable, Limit, problem_text
from recon_core.values.printable import printable, quoted
from recon_core.values.severity import Severity
from recon_core.values.suggestions import did_you_mean, suggestion

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", re.ASCII)
_DAY_TEXT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_DIGEST: Final = re.compile(r"[0-9a-f]{16}", re.ASCII)
_KINDS: Final = tuple(map(str, ItemKind))
_WILDCARDS: Final = frozenset("*?[")
_TABLE: Final = "waiver"


def _refused(message: str) -> PydanticCustomError:
    # The message may hold braces, which pydantic would read as a template.
    return PydanticCustomError("recon", "{message}", {"message": message})


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        shown = quoted(value) if isinstance(value, str) else "is not text"
        raise _refused(f"{shown}; expected text that is not empty")
    return value


def _id(value: object) -> str:
    text = _text(value)
    if _ID.fullmatch(text) is None:
        raise _refused(f"{quoted(text)}; expected at most 80 letters, digits, '.', '-' and '_'")
    return text


def _item(value: object) -> str:
    text = _text(value)
    kind, separator, key = text.partition("::")
    if not separator or not key:
        raise _refused(f"{quoted(text)}; expected a kind and a key with two colons between them")
    if _WILDCARDS.isdisjoint(kind) and kind not in _KINDS:
        raise _refused(f"{quoted(text)}: no kind {quoted(kind)}; {did_you_mean(kind, _KINDS)}")
    return text


def _cause(value: object) -> CauseKind:
    text = _text(value)
    kinds = tuple(map(str, CauseKind))
    if text not in kinds:
        raise _refused(f"{quoted(text)}; {did_you_mean(text, kinds, len(kinds))}")
    return CauseKind(text)


def _digest(value: object) -> str:
    text = _text(value)
    if _DIGEST.fullmatch(text) is None:
        raise _refused(
            f"{quoted(text)}; expected 16 hexadecimal digits, as recon waive writes them"
        )
    return text


def _day(value: object) -> date:
    if type(value) is date:
        return value
    if isinstance(value, str) and _DAY_TEXT.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # 2026-02-30
    raise _refused(f"{quoted(value)}; expected a date like 2026-12-31, a day in UTC")


def parse_day(text: str) -> date:
    """Read a date such as `2026-12-31`; raises `PolicyError` for anything else."""
    try:
        return _day(text)
    except PydanticCustomError as error:
        raise PolicyError(error.message()) from None


def check_id(text: str) -> None:
    """Raise `PolicyError` for what is no id of a waiver."""
    try:
        _id(text)
    except PydanticCustomError as error:
        raise PolicyError(error.message()) from None


_Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string", "pattern": r"\S"})]
_Id = Annotated[
    str, PlainValidator(_id), WithJsonSchema({"type": "string", "pattern": f"^{_ID.pattern}$"})
]
_Item = Annotated[
    str, PlainValidator(_item), WithJsonSchema({"type": "string", "pattern": "^[^:]+::."})
]
_Cause = Annotated[
    CauseKind, PlainValidator(_cause), WithJsonSchema({"enum": [str(kind) for kind in CauseKind]})
]
_Digest = Annotated[
    str,
    PlainValidator(_digest),
    WithJsonSchema({"type": "string", "pattern": f"^{_DIGEST.pattern}$"}),
]
_Day = Annotated[
    date,
    PlainValidator(_day),
    WithJsonSchema({"type": "string", "pattern": f"^{_DAY_TEXT.pattern}$"}),
]


class WaiverTable(FileTable):
    """`[[waiver]]`: one known difference."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [{"required": ["max_amount"]}, {"required": ["finding"]}],
            "not": {"required": ["max_amount", "finding"]},
        }
    )

    id: _Id
    session: _Text
    item: _Item
    cause: _Cause | None = None
    max_amount: Limit | None = None
    finding: _Digest | None = None
    severity: Literal["WARN", "FAIL"] = "FAIL"
    owner: _Text
    reason: _Text
    expires: _Day

    @model_validator(mode="after")
    def _one_ceiling(self) -> Self:
        if (self.max_amount is None) is (self.finding is None):
            both = "both are given" if self.finding else "is missing"
            raise PydanticCustomError(
                "recon", f"max_amount or finding: {both}; expected one of them as the ceiling"
            )
        return self

    def waiver(self) -> Waiver:
        """The entry as the engine has it."""
        return Waiver(**{**self.model_dump(), "severity": Severity(self.severity)})


class WaiversFile(FileTable):
    """The whole file, for its schema: reading names the entry that has a problem."""

    waiver: list[WaiverTable] = Field(default_factory=list)


def read_waivers(paths: Iterable[Path], day: date, most_days: int) -> Waivers:
    """Read all files as they are on `day`; an entry expires at most `most_days` later.

    Raises `PolicyError` in one line for a file that cannot be read, an unknown key, a wrong
    value and an id that occurs twice.
    """
    entries: list[Waiver] = []
    files: dict[str, str] = {}
    homes: dict[str, str] = {}
    for path in _each_once(paths):
        name = printable(path.name)
        found, digest = _read(path, name)
        for number, waiver in enumerate(found, start=1):
            _refuse_twice(homes, waiver.id, f"{name}: waiver {number}")
            _refuse_late(waiver, day, most_days, f"{name}: waiver {number} ({waiver.id})")
        entries += found
        files[_free_name(name, files)] = digest
    return Waivers(day, tuple(entries), files)


def _each_once(paths: Iterable[Path]) -> list[Path]:
    return list({path.resolve(): path for path in paths}.values())


def _free_name(name: str, files: dict[str, str]) -> str:
    """The name of a file, with a number where another directory has one of that name."""
    number = 2
    free = name
    while free in files:
        free, number = f"{name} ({number})", number + 1
    return free


def _read(path: Path, name: str) -> tuple[list[Waiver], str]:
    document = load_toml(path)
    for key in document:
        if key != _TABLE:
            raise PolicyError(
                f"{name}: {printable(key, 60)}: unknown key; expected [[waiver]]"
                f"{suggestion(key, (_TABLE,))}"
            )
    rows = document.get(_TABLE, [])
    if not isinstance(rows, list):
        raise PolicyError(f"{name}: waiver: a table; expected a list of them, each as [[waiver]]")
    waivers = [_entry(row, f"{name}: waiver {number}") for number, row in enumerate(rows, 1)]
    return waivers, hashlib.sha256(_canonical(waivers)).hexdigest()


def _canonical(waivers: Sequence[Waiver]) -> bytes:
    """The entries as bytes: a comment changes nothing that is judged by."""
    return repr([waiver.to_dict() for waiver in waivers]).encode()


def _entry(row: object, place: str) -> Waiver:
    named = row.get("id") if isinstance(row, dict) else None
    place += f" ({printable(named, 80)})" if isinstance(named, str) and named else ""
    try:
        return WaiverTable.model_validate(numbers_as_text(row)).waiver()
    except ValidationError as error:
        text = problem_text(error, model=WaiverTable).removeprefix("the document: ")
        raise PolicyError(f"{place}: {text}{_never_critical(row)}") from None


def _never_critical(row: object) -> str:
    given = row.get("severity") if isinstance(row, dict) else None
    return ": CRITICAL is never waived" if given == Severity.CRITICAL else ""


def _refuse_twice(homes: dict[str, str], waiver_id: str, place: str) -> None:
    if waiver_id in homes:
        raise PolicyError(
            f"{place}: id: '{waiver_id}' is that of {homes[waiver_id]} too; expected another one"
        )
    homes[waiver_id] = place


def _refuse_late(waiver: Waiver, day: date, most_days: int, place: str) -> None:
    latest = day + timedelta(days=most_days)
    if waiver.expires > latest:
        raise PolicyError(
            f"{place}: expires: {waiver.expires} is {(waiver.expires - day).days} days ahead; "
            f"expected {latest} at the latest (policy: waiver_days = {most_days})"
        )
