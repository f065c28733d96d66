"""The policy file (design, "Names to keep"): TOML, unknown keys are errors."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from recon_core.amounts import NumberText
from recon_core.boundary import (
    Duration,
    FileModel,
    FractionBelowOne,
    Limit,
    Name,
    problem_text,
)
from recon_core.errors import PolicyError
from recon_core.policy.model import (
    DEFAULT_CASH_ABSOLUTE,
    DEFAULT_CASH_RELATIVE,
    DEFAULT_FAIL_ABOVE,
    DEFAULT_FLOAT_DUST,
    DEFAULT_INFO_BELOW,
    DEFAULT_MAX_SKEW,
    CashPolicy,
    Policy,
    PositionPolicy,
)
from recon_core.printable import printable

Section = Literal["positions", "cash", "orders", "fills", "movements"]


def _default_require() -> list[Section]:
    return ["positions", "cash"]


class PositionTable(FileModel):
    """`[position]`: fractions of drift, and absolute tolerances by symbol or pattern."""

    info_below: FractionBelowOne = DEFAULT_INFO_BELOW
    fail_above: FractionBelowOne = DEFAULT_FAIL_ABOVE
    absolute: dict[Name, Limit] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.info_below > self.fail_above:
            raise PydanticCustomError("recon", "info_below is larger than fail_above")
        return self


class CashTable(FileModel):
    """`[cash]`: a fraction of the balance, and absolute tolerances by currency."""

    relative: FractionBelowOne = DEFAULT_CASH_RELATIVE
    absolute: dict[Name, Limit] = Field(default_factory=dict)


class PolicyFile(FileModel):
    """The whole file."""

    require: list[Section] = Field(default_factory=_default_require)
    max_skew: Duration = DEFAULT_MAX_SKEW
    float_dust: Limit = DEFAULT_FLOAT_DUST
    position: PositionTable = Field(default_factory=PositionTable)
    cash: CashTable = Field(default_factory=CashTable)


def read_policy(path: Path) -> Policy:
    """Read a policy file such as `recon.toml`; raises `PolicyError`."""
    return _policy(_load(path), printable(path.name))


def read_pyproject_policy(path: Path) -> Policy | None:
    """Read `[tool.recon]` of a `pyproject.toml`; `None` where there is no such table."""
    tool = _load(path).get("tool")
    table = tool.get("recon") if isinstance(tool, dict) else None
    if table is None:
        return None
    return _policy(table, f"{printable(path.name)}: tool.recon")


def _load(path: Path) -> dict[str, object]:
    name = printable(path.name)
    try:
        content = path.read_bytes().decode("utf-8")
        return tomllib.loads(content, parse_float=NumberText)
    except OSError as error:
        raise PolicyError(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PolicyError(f"{name}: is not UTF-8 text; expected a TOML file") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError(f"{name}: is not TOML: {printable(error)}") from None


def _policy(table: object, name: str) -> Policy:
    try:
        content = PolicyFile.model_validate(_numbers_as_text(table))
    except ValidationError as error:
        raise PolicyError(f"{name}: {problem_text(error)}") from None
    position, cash = content.position, content.cash
    return Policy(
        require=tuple(content.require),
        max_skew=content.max_skew,
        float_dust=content.float_dust,
        position=PositionPolicy(position.info_below, position.fail_above, position.absolute),
        # A policy adds to the built-in currencies and may change them.
        cash=CashPolicy(cash.relative, {**DEFAULT_CASH_ABSOLUTE, **cash.absolute}),
    )


def _numbers_as_text(value: object) -> object:
    """TOML integers as the text that amounts are read from; floats came as text."""
    if isinstance(value, dict):
        return {name: _numbers_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_numbers_as_text(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return NumberText(str(Decimal(value)))
    return value
