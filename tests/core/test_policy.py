"""The policy file: what it may say, what it means, and one clear line for what it may not."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.model import LedgerSide, View
from recon_core.model.matched_rows import RowCase
from recon_core.policy import CashPolicy, Policy, PositionPolicy
from recon_core.policy.aliases import Aliases
from recon_core.policy.model import CashLimit
from recon_core.policy.toml_file import read_policy, read_pyproject_policy
from recon_core.values.errors import PolicyError
from recon_core.values.severity import Severity

DESIGN_PAGE = """
require = ["positions", "cash"]
max_skew = "PT60S"
[position]
info_below = "0.001"
fail_above = "0.01"
absolute = { "DOGE/*" = "0.01" }
[cash]
relative = "0.005"
absolute = { EUR = "1", JPY = "150" }
[severity]
fill_missing = "FAIL"
order_time = "WARN"
[aliases]
external = { "XBT.F" = "BTC" }
"""
ONE = dict.fromkeys(("EUR", "USD", "GBP", "CHF", "USDT", "USDC"), Decimal(1))
MILDER = {"fill_fee", "fill_time", "order_time"}
SUMS = {"fill_aggregated", "movement_aggregated"}


def read(directory: Path, text: str) -> Policy:
    path = directory / "recon.toml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path)


def test_an_empty_file_is_the_default(tmp_path: Path) -> None:
    """Defaults are the runbook's severity levels, and equal in file and code."""
    policy = read(tmp_path, "")
    assert policy.to_dict() == Policy().to_dict()
    assert policy == Policy(
        require=("positions", "cash"),
        max_skew=timedelta(seconds=60),
        position=PositionPolicy(Decimal("0.001"), Decimal("0.01"), {}),
        cash=CashPolicy(Decimal("0.005"), ONE),
    )


def test_the_example_of_the_design_page_is_a_policy(tmp_path: Path) -> None:
    """It states the defaults, one symbol pattern, and one more currency."""
    policy = read(tmp_path, DESIGN_PAGE)
    assert policy.position.absolute == {"DOGE/*": Decimal("0.01")}
    assert policy.cash.absolute == {**ONE, "JPY": Decimal(150)}
    assert (policy.position.info_below, policy.max_skew) == (
        Policy().position.info_below,
        Policy().max_skew,
    )


def test_the_effective_policy_is_plain_data(tmp_path: Path) -> None:
    """The evidence of a run prints amounts without exponent."""
    policy = read(tmp_path, 'max_skew = "PT1H0M1S"\n[position]\ninfo_below = "0.0000001"')
    assert policy.to_dict() == {
        "require": ["positions", "cash"],
        "max_skew_seconds": "3601.0",
        "float_dust": "0.000001",
        "position": {"info_below": "0.0000001", "fail_above": "0.01", "absolute": {}},
        "cash": {
            "relative": "0.005",
            "absolute": dict.fromkeys(sorted(ONE), "1"),
            "limit": "min",
        },
        "severity": {
            case: "INFO" if case in SUMS else "WARN" if case in MILDER else "FAIL"
            for case in RowCase
        },
        "aliases": {"internal": {}, "external": {}},
        "account_split": "WARN",
        "keeps": {},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[position]\ninfo_below = "0"', Policy(position=PositionPolicy(info_below=Decimal(0)))),
        (
            "[position]\nfail_above = 0.0123456789012345678901234567",
            Policy(position=PositionPolicy(fail_above=Decimal("0.0123456789012345678901234567"))),
        ),
        (
            '[position]\ninfo_below = "0.01"',
            Policy(position=PositionPolicy(info_below=Decimal("0.01"))),
        ),
        ("[cash]\nrelative = 0", Policy(cash=CashPolicy(relative=Decimal(0)))),
        (
            "[cash]\nabsolute = { EUR = 0 }",
            Policy(cash=CashPolicy(absolute={**ONE, "EUR": Decimal(0)})),
        ),
        (
            "[cash]\nabsolute = { BTC = 0.00000001 }",
            Policy(cash=CashPolicy(absolute={**ONE, "BTC": Decimal("0.00000001")})),
        ),
        ("require = []", Policy(require=())),
        (
            'require = ["positions", "cash", "orders", "fills", "movements"]',
            Policy(require=("positions", "cash", "orders", "fills", "movements")),
        ),
        ('[cash]\nlimit = "max"', Policy(cash=CashPolicy(limit=CashLimit.MAX))),
        ('account_split = "FAIL"', Policy(account_split=Severity.FAIL)),
        (
            '[keeps]\nexternal = { BTC = "balance", "*" = "both" }',
            Policy(keeps={LedgerSide.EXTERNAL: {"BTC": View.BALANCE, "*": View.BOTH}}),
        ),
        ('max_skew = "PT5M"', Policy(max_skew=timedelta(minutes=5))),
        ('max_skew = "PT0S"', Policy(max_skew=timedelta(0))),
        ('[severity]\nfill_fee = "INFO"', Policy(severity={"fill_fee": Severity.INFO})),
        (
            '[severity]\norder_time = "CRITICAL"\nfill_missing = "WARN"',
            Policy(severity={"order_time": Severity.CRITICAL, "fill_missing": Severity.WARN}),
        ),
        (
            '[aliases]\nexternal = { "XBT.F" = "BTC" }\ninternal = { a = "b" }',
            Policy(aliases=Aliases({"a": "b"}, {"XBT.F": "BTC"})),
        ),
        ("float_dust = 0", Policy(float_dust=Decimal(0))),
        ('float_dust = "0.00000001"', Policy(float_dust=Decimal("0.00000001"))),
    ],
)
def test_a_setting_changes_what_it_names(tmp_path: Path, text: str, expected: Policy) -> None:
    """Amounts may be numbers or text; both are read from their text. The rest stays default."""
    assert read(tmp_path, text).to_dict() == expected.to_dict()


BAD = [
    ("tolerance = 1", "tolerance: unknown key"),
    ('api_key = "hunter2"', "api_key: unknown key"),
    ("[positions]\ninfo_below = 0.1", "positions: unknown key"),
    ("[position]\nwarn_above = 0.1", "position.warn_above: unknown key"),
    ("[cash]\ntolerance = 1", "cash.tolerance: unknown key"),
    ('require = "cash"', "require: 'cash'; expected a list"),
    ('require = ["trades"]', "require[0]: 'trades'; expected 'positions', 'cash', 'orders'"),
    ("require = [1]", "require[0]: 1; expected 'positions'"),
    ("float_dust = 1e-6", "float_dust: '1e-6' is not an amount"),
    ('float_dust = "-1"', "float_dust: '-1'; expected an amount of 0 or more"),
    ("max_skew = 60", "max_skew: 60; expected a duration like 'PT60S'"),
    ('max_skew = "60s"', "max_skew: '60s'; expected a duration like 'PT60S'"),
    ('max_skew = "PT"', "max_skew: 'PT'; expected a duration"),
    ('max_skew = "-PT60S"', "max_skew: '-PT60S'; expected a duration"),
    ('max_skew = "P1D"', "max_skew: 'P1D'; expected a duration"),
    ('max_skew = "PT1.5S"', "max_skew: 'PT1.5S'; expected a duration"),
    ("position = 1", "position: 1; expected a table"),
    ('position = "x"', "position: 'x'; expected a table"),
    ('[position]\ninfo_below = "-0.1"', "position.info_below: '-0.1'; expected an amount of 0"),
    ('[position]\nfail_above = "1"', "position.fail_above: '1'; expected a fraction below 1"),
    ("[position]\nfail_above = 5", "position.fail_above: 5; expected a fraction below 1"),
    ("[position]\nfail_above = 1e-2", "position.fail_above: '1e-2' is not an amount"),
    ("[position]\nfail_above = nan", "position.fail_above: 'nan' is not an amount"),
    ("[position]\nfail_above = inf", "position.fail_above: 'inf' is not an amount"),
    ('[position]\nfail_above = "1 %"', "position.fail_above: '1 %' is not an amount"),
    ("[position]\nfail_above = true", "position.fail_above: true; expected an amount"),
    ("[position]\nfail_above = 2026-01-01", "position.fail_above: "),
    (
        '[position]\ninfo_below = "0.02"',
        "position: info_below is larger than fail_above",
    ),
    ('[position]\nabsolute = "1"', "position.absolute: '1'; expected a table"),
    ('[position]\nabsolute = { X = "-1" }', "position.absolute.X: '-1'; expected an amount of 0"),
    ('[position]\nabsolute = { "" = "1" }', "''; expected text that is not empty"),
    ("[cash]\nrelative = 1.0", "cash.relative: 1.0; expected a fraction below 1"),
    ("[cash]\nabsolute = { EUR = [1] }", "cash.absolute.EUR: a list; expected an amount"),
    ("[cash]\nabsolute = { EUR = 1_0.0 }", "cash.absolute.EUR: '1_0.0' is not an amount"),
    ('[severity]\nfill_lost = "FAIL"', "severity.fill_lost: unknown key"),
    (
        '[severity]\nfill_mising = "FAIL"',
        "severity.fill_mising: unknown key; did you mean fill_missing?",
    ),
    (
        "[tool.recon.cash]\nrelative = 0.1",
        "tool.recon is a table of pyproject.toml; expected its keys without that name",
    ),
    ('[severity]\nfill_fee = "match"', "severity.fill_fee: 'match'; expected 'INFO', 'WARN'"),
    ('[severity]\nfill_fee = "info"', "severity.fill_fee: 'info'; expected 'INFO', 'WARN'"),
    ("[severity]\nfill_fee = 1", "severity.fill_fee: 1; expected 'INFO', 'WARN'"),
    ("[severity]\nfill_fee = false", "severity.fill_fee: false; expected 'INFO', 'WARN'"),
    ("[aliases]\nboth = { a = 'b' }", "aliases.both: unknown key"),
    ("[aliases]\nexternal = ['BTC']", "aliases.external: a list; expected a table"),
    ("[aliases]\nexternal = { BTC = 1 }", "aliases.external.BTC: 1; expected text"),
    ("[aliases]\nexternal = { BTC = '' }", "aliases.external.BTC: ''; expected text that is not"),
    ("require = [", "is not TOML: "),
    ("a = 1\na = 2", "is not TOML: "),
    ("[cash]\n[cash]", "is not TOML: "),
    ("a = " + "[" * 100_000, "is not TOML: "),
    ('"a\\u001b[2J\\n::error::x" = 1', r"a\x1b[2J\x0a\x3a:error\x3a:x: unknown key"),
]


@pytest.mark.parametrize(("text", "expected"), BAD)
def test_what_a_policy_may_not_say(tmp_path: Path, text: str, expected: str) -> None:
    """One line: the file, the key, the value, what is accepted; never an unknown key's value."""
    with pytest.raises(PolicyError) as raised:
        read(tmp_path, text)
    message = str(raised.value)
    assert message.startswith("recon.toml: ")
    assert expected in message
    assert message.isprintable()
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        ({"fill_lost": Severity.FAIL}, "severity.'fill_lost': unknown key"),
        ({"fill_fee": "match"}, "severity.fill_fee: 'match'; expected one of INFO, WARN"),
        ({"fill_fee": None}, "severity.fill_fee: 'None'; expected one of INFO, WARN"),
    ],
)
def test_a_policy_made_in_python_is_checked_too(severity: Any, expected: str) -> None:
    """A misspelled case would leave its default in force unseen."""
    with pytest.raises(PolicyError) as raised:
        Policy(severity=severity)
    assert str(raised.value).startswith(expected)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "recon.toml: cannot be read: No such file or directory"),
        (b"\xff\xfe", "recon.toml: is not UTF-8 text; expected a TOML file"),
        (b"\xef\xbb\xbf", "recon.toml: is not TOML"),
    ],
)
def test_a_policy_file_that_cannot_be_read(
    tmp_path: Path, content: bytes | None, expected: str
) -> None:
    """A policy that was asked for and is not there is an error, never the default."""
    path = tmp_path / "recon.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=expected):
        read_policy(path)


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("BTC/EUR", ("BTC/EUR", "1")),  # the symbol itself
        ("BTC/USD", ("BTC/*", "2")),  # the longer pattern
        ("ETH/EUR", ("*/EUR", "3")),  # of two equally long ones the stricter
        ("ETHEUR", ("ETH*", "4")),
        ("ETH/USD", ("ETH*", "4")),
        ("X1", ("X?", "6")),
        ("X12", None),
        ("btc/eur", None),
    ],
)
def test_the_closest_pattern_holds(symbol: str, expected: tuple[str, str] | None) -> None:
    """A symbol's own entry, then the longest pattern, then the smallest tolerance; case counts."""
    absolute = {"BTC/*": "2", "BTC/EUR": "1", "*/EUR": "3", "ETH/*": "5", "ETH*": "4", "X?": "6"}
    limits = {name: Decimal(limit) for name, limit in absolute.items() if name != "ETH/*"}
    found = PositionPolicy(absolute=limits).absolute_tolerance(symbol)
    assert found == (None if expected is None else (expected[0], Decimal(expected[1])))


def test_of_two_equally_long_patterns_the_stricter_holds() -> None:
    """The order in the file decides nothing."""
    for absolute in ({"ETH/*": "5", "*/EUR": "3"}, {"*/EUR": "3", "ETH/*": "5"}):
        limits = {name: Decimal(limit) for name, limit in absolute.items()}
        assert PositionPolicy(absolute=limits).absolute_tolerance("ETH/EUR") == ("*/EUR", 3)


@pytest.mark.parametrize(
    ("internal", "external", "text"),
    [
        ("5000.00", "4995.00", "1.00 EUR = min(1 EUR, 0.5 % of 5000.00)"),
        ("100", "99", "0.5 EUR = min(1 EUR, 0.5 % of 100): the fraction holds"),
        ("-33.33", "0", "0.16665 EUR = min(1 EUR, 0.5 % of 33.33): the fraction holds"),
        ("0", "0.00", "0.00 EUR = min(1 EUR, 0.5 % of 0): the fraction holds"),
    ],
)
def test_the_effective_tolerance_is_printed(internal: str, external: str, text: str) -> None:
    """The number that was applied, and where it comes from."""
    assert Policy().cash.tolerance("EUR", Decimal(internal), Decimal(external)).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("[project]\nname = 'x'", None),
        ("[tool.ruff]\nline-length = 100", None),
        ("tool = 1", None),
        ("[tool.recon]", Policy()),
        ("[tool.recon]\nmax_skew = 'PT5M'", Policy(max_skew=timedelta(minutes=5))),
        ("[tool.recon.cash]\nrelative = '0'", Policy(cash=CashPolicy(relative=Decimal(0)))),
    ],
)
def test_a_policy_may_stand_in_pyproject(
    tmp_path: Path, text: str, expected: Policy | None
) -> None:
    """`[tool.recon]`, and nothing where there is no such table."""
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    policy = read_pyproject_policy(path)
    assert (policy and policy.to_dict()) == (expected and expected.to_dict())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.recon]\nx = 1", "pyproject.toml: tool.recon: x: unknown key"),
        ("[tool]\nrecon = 1", "pyproject.toml: tool.recon: "),
        ("[tool", "pyproject.toml: is not TOML"),
    ],
)
def test_a_bad_table_in_pyproject_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    """The message says which table of which file."""
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=expected):
        read_pyproject_policy(path)


def test_a_pipe_is_refused(tmp_path: Path) -> None:
    """Reading it could wait for ever."""
    os.mkfifo(tmp_path / "recon.toml")
    with pytest.raises(PolicyError, match=r"recon\.toml: is no regular file; expected a TOML"):
        read_policy(tmp_path / "recon.toml")
