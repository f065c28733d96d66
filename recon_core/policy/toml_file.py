"""The policy file (design, "Names to keep"): TOML, unknown keys are errors."""

from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, create_model, model_validator
from pydantic_core import PydanticCustomError

from recon_core.model import LedgerSide, View
from recon_core.policy.aliases import Aliases
from recon_core.policy.file_names import PYPROJECT
from recon_core.policy.model import (
    DEFAULT_CASH_ABSOLUTE,
    DEFAULT_CASH_RELATIVE,
    DEFAULT_FAIL_ABOVE,
    DEFAULT_FLOAT_DUST,
    DEFAULT_INFO_BELOW,
    DEFAULT_MAX_SKEW,
    DEFAULT_WAIVER_DAYS,
    MOST_WAIVER_DAYS,
    CashLimit,
    CashPolicy,
    Policy,
    PositionPolicy,
)
from recon_core.policy.severities import DEFAULT_SEVERITIES
from recon_core.values.amounts import NumberText
from recon_core.values.errors import PolicyError
from recon_core.values.fields import (
    Count,
    Duration,
    Entries,
    FileTable,
    FractionBelowOne,
    Kept,
    Limit,
    Name,
    problem_text,
)
from recon_core.values.limits import TOML_BYTES, LimitError, refuse_above
from recon_core.values.printable import printable, quoted
from recon_core.values.severity import Severity
from recon_core.values.toml_text import TomlError, parse_toml

Section = Literal["positions", "cash", "orders", "fills", "movements"]


def _default_require() -> list[Section]:
    return ["positions", "cash"]


class PositionTable(FileTable):
    """`[position]`: fractions of drift, and absolute tolerances by symbol or pattern."""

    info_below: FractionBelowOne = DEFAULT_INFO_BELOW
    fail_above: FractionBelowOne = DEFAULT_FAIL_ABOVE
    absolute: Entries[Name, Limit] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.info_below > self.fail_above:
            raise PydanticCustomError("recon", "info_below is larger than fail_above")
        return self


class CashTable(FileTable):
    """`[cash]`: a fraction of the balance, and absolute tolerances by currency."""

    relative: FractionBelowOne = DEFAULT_CASH_RELATIVE
    absolute: Entries[Name, Limit] = Field(default_factory=dict)
    limit: Literal["min", "max"] = "min"

    @model_validator(mode="after")
    def _names_currencies(self) -> Self:
        pattern = next((name for name in self.absolute if "*" in name), None)
        if pattern is not None:
            raise PydanticCustomError(
                "recon",
                "absolute: {name}: is a pattern; expected a currency, each named whole",
                {"name": quoted(pattern)},
            )
        return self


SeverityName = Literal["INFO", "WARN", "FAIL", "CRITICAL"]
# One field per case, so that a case without a default cannot exist.
SeverityTable = create_model(
    "SeverityTable",
    __base__=FileTable,
    __doc__="`[severity]`: what is wrong with a fill or an order, and how bad that is.",
    **{str(case): (SeverityName, str(each)) for case, each in DEFAULT_SEVERITIES.items()},  # type: ignore[call-overload]  # the names are no keywords of create_model
)


class AliasTable(FileTable):
    """`[aliases]`: names of one side, and what the other calls the same thing."""

    internal: Entries[Name, Name] = Field(default_factory=dict)
    external: Entries[Name, Name] = Field(default_factory=dict)


class KeepsTable(FileTable):
    """`[keeps]`: the view in which a side lists an asset, by its name; `*` is every other."""

    internal: Kept = Field(default_factory=dict)
    external: Kept = Field(default_factory=dict)


class PolicyFile(FileTable):
    """The whole file."""

    require: list[Section] = Field(default_factory=_default_require)
    max_skew: Duration = DEFAULT_MAX_SKEW
    float_dust: Limit = DEFAULT_FLOAT_DUST
    position: PositionTable = Field(default_factory=PositionTable)
    cash: CashTable = Field(default_factory=CashTable)
    severity: SeverityTable = Field(default_factory=SeverityTable)
    aliases: AliasTable = Field(default_factory=AliasTable)
    account_split: SeverityName = "WARN"
    keeps: KeepsTable = Field(default_factory=KeepsTable)
    waiver_days: Count = Field(default=DEFAULT_WAIVER_DAYS, le=MOST_WAIVER_DAYS)


def read_policy(path: Path) -> Policy:
    """Read a policy file such as `recon.toml`; a key that it leaves out has its default.

    Raises `PolicyError` for a file that cannot be read, an unknown key or a wrong value.
    """
    return _policy(load_toml(path), printable(path.name))


def read_pyproject_policy(path: Path) -> Policy | None:
    """Read `[tool.recon]` of a `pyproject.toml`; `None` where there is no such table."""
    tool = load_toml(path).get("tool")
    table = tool.get("recon") if isinstance(tool, dict) else None
    if table is None:
        return None
    return _policy(table, f"{printable(path.name)}: tool.recon")


def load_toml(path: Path) -> dict[str, object]:
    """Read a TOML file with its fractions as text; raises `PolicyError` for one of no use."""
    name = printable(path.name)
    if path.exists() and not path.is_file():
        raise PolicyError(f"{name}: is no regular file; expected a TOML file")
    try:
        refuse_above(TOML_BYTES, path.stat().st_size)
        return parse_toml(path.read_bytes(), NumberText)
    except OSError as error:
        raise PolicyError(f"{name}: cannot be read: {error.strerror}") from None
    except (LimitError, TomlError) as error:
        raise PolicyError(f"{name}: {error}") from None


def _policy(table: object, name: str) -> Policy:
    try:
        content = PolicyFile.model_validate(numbers_as_text(table))
    except ValidationError as error:
        problem = problem_text(error, model=PolicyFile, table="a table")
        if isinstance(table, dict) and "recon" in (table.get("tool") or ()):
            problem = f"tool.recon is a table of {PYPROJECT}; expected its keys without that name"
        raise PolicyError(f"{name}: {problem}") from None
    position, cash = content.position, content.cash
    return Policy(
        require=tuple(content.require),
        max_skew=content.max_skew,
        float_dust=content.float_dust,
        position=PositionPolicy(position.info_below, position.fail_above, position.absolute),
        # A policy adds to the built-in currencies and may change them.
        cash=CashPolicy(
            cash.relative, {**DEFAULT_CASH_ABSOLUTE, **cash.absolute}, CashLimit(cash.limit)
        ),
        severity={case: Severity(name) for case, name in content.severity.model_dump().items()},
        aliases=Aliases(content.aliases.internal, content.aliases.external),
        account_split=Severity(content.account_split),
        waiver_days=content.waiver_days,
        keeps={
            side: {asset: View(view) for asset, view in named.items()}
            for side, named in (
                (LedgerSide.INTERNAL, content.keeps.internal),
                (LedgerSide.EXTERNAL, content.keeps.external),
            )
            if named
        },
    )


def numbers_as_text(value: object) -> object:
    """Return TOML with its integers as the text that amounts are read from, as floats are."""
    if isinstance(value, dict):
        return {name: numbers_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [numbers_as_text(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return NumberText(str(Decimal(value)))
    return value
