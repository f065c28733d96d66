"""Verdicts: the runbook's scenarios, both sides of every threshold, and their algebra."""

from decimal import Decimal
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.judging import judge
from recon_core.model import CashBalance
from recon_core.policy import CashPolicy, Policy, PositionPolicy
from recon_core.values.severity import Severity

from .builders import (
    AS_OF_TEXT,
    UNIT,
    cash_comparison,
    document,
    judged_cash,
    judged_position,
    reconciled,
    side,
    verdicts,
    write_session,
)


def test_scenario_1_a_position_half_a_percent_off_is_warn() -> None:
    """Runbook, scenario 1: 0.1 against 0.0995 BTC."""
    diff = judged_position(Decimal("0.1"), Decimal("0.0995")).diff
    assert diff is not None
    assert (diff.severity, diff.diff_type, diff.delta, diff.drift) == (
        Severity.WARN,
        "POSITION",
        Decimal("0.0005"),
        Decimal("0.005"),
    )
    assert diff.description == (
        "position BTC/EUR: WARN, internal 0.1 BTC, external 0.0995 BTC, delta 0.0005 BTC, "
        "drift 0.5 % (INFO below 0.1 %, FAIL above 1 %)"
    )


def test_scenario_2_a_position_five_percent_off_is_fail() -> None:
    """Runbook, scenario 2: 1.0 against 0.95 ETH; the larger side is the reference."""
    for pair in (("1.0", "0.95"), ("0.95", "1.0")):
        diff = judged_position(*map(Decimal, pair)).diff
        assert diff is not None
        assert (diff.severity, diff.drift) == (Severity.FAIL, Decimal("0.05"))


def test_scenario_3_five_euros_of_five_thousand_are_fail() -> None:
    """Runbook, scenario 3: either limit exceeded is a FAIL, and the text says which holds."""
    diff = judged_cash(Decimal("5000.00"), Decimal("4995.00")).diff
    assert diff is not None
    assert (diff.severity, diff.diff_type) == (Severity.FAIL, "CASH")
    expected = "delta 5.00 EUR, tolerance 1.00 EUR = min(1 EUR, 0.5 % of 5000.00)"
    assert expected in diff.description
    assert diff.tolerance == "1.00 EUR = min(1 EUR, 0.5 % of 5000.00)"


def test_scenario_4_many_small_diffs_stay_info() -> None:
    """Runbook, scenario 4: fifteen diffs under 0.1 % are fifteen INFO and nothing else."""
    internal = {f"C{number}/EUR": "1000" for number in range(15)}
    external = dict.fromkeys(internal, "999.5")
    summary = reconciled(side(internal, {}), side(external, {})).summary()
    assert (summary.total_diffs, summary.counts_by_severity) == (15, {"INFO": 15})
    assert (summary.has_fail, summary.max_severity) == (False, "INFO")
    assert summary.escalation == ("monitoring",)


_HUGE = "9" * 30
THRESHOLDS = [
    # position, relative to 1: what external is below internal
    ("BTC/EUR", "1", "1", "match"),
    ("BTC/EUR", "1", "0." + "9" * 30, "INFO"),
    ("BTC/EUR", "1", "0.999000000000000000000000000001", "INFO"),
    ("BTC/EUR", "1", "0.999", "WARN"),
    ("BTC/EUR", "1", "0.998999999999999999999999999999", "WARN"),
    ("BTC/EUR", "1", "0.990000000000000000000000000001", "WARN"),
    ("BTC/EUR", "1", "0.99", "WARN"),
    ("BTC/EUR", "1", "0.989999999999999999999999999999", "FAIL"),
    ("BTC/EUR", "2.54", "2.53746", "WARN"),  # a fee of exactly 0.1 %
    ("BTC/EUR", "0", UNIT, "FAIL"),
    ("BTC/EUR", "0", "-0", "match"),
    ("BTC/EUR", "0.10", "0.1", "match"),
    ("BTC/EUR", "1", "-1", "FAIL"),
    ("BTC/EUR", _HUGE, _HUGE + "." + "0" * 29 + "1", "INFO"),
    # an absolute tolerance of 0.5 per symbol
    ("DOGE/EUR", "1", "0.5", "INFO"),
    ("DOGE/EUR", "1", "0.499999999999999999999999999999", "FAIL"),
    ("DOGE/EUR", "0", "-0.5", "INFO"),
    ("DOGE/EUR", "1000", "999.4", "INFO"),
    # cash, absolute limit of 1 EUR
    ("EUR", "5000", "4999", "INFO"),
    ("EUR", "5000", "4998.999999999999999999999999999999", "FAIL"),
    ("EUR", "5000", "5001", "INFO"),
    ("EUR", "5000", "5001." + UNIT[2:], "FAIL"),
    ("EUR", "-5000", "-4999", "INFO"),
    ("EUR", "0.5", "-0.5", "FAIL"),
    # cash, relative limit of 0.5 %
    ("EUR", "100", "99.5", "INFO"),
    ("EUR", "100", "99.499999999999999999999999999999", "FAIL"),
    ("EUR", "0", UNIT, "FAIL"),
    ("EUR", "0", "-0", "match"),
    ("EUR", "200", "199", "INFO"),
    ("EUR", "200", "198.999999999999999999999999999999", "FAIL"),
    # other currencies that the runbook's "1 EUR" stands for, and those it does not
    ("USDT", "5000", "4999", "INFO"),
    ("CHF", "5000", "4999", "INFO"),
    ("BTC", "5000", "4999.999999999999999999999999999999", "FAIL"),
    ("eur", "5000", "4999.99", "FAIL"),
    ("JPY", "100000", "99850", "INFO"),  # named by the policy: 150
    ("JPY", "100000", "99849.999999999999999999999999999999", "FAIL"),
]
POLICY = Policy(
    position=PositionPolicy(absolute={"DOGE/*": Decimal("0.5")}),
    cash=CashPolicy(absolute={**CashPolicy().absolute, "JPY": Decimal(150)}),
)


@pytest.mark.parametrize(("name", "internal", "external", "expected"), THRESHOLDS)
def test_every_threshold_holds_to_the_last_unit(
    tmp_path: Path, name: str, internal: str, external: str, expected: str
) -> None:
    """Both sides of each limit, from the text of a file to the verdict, either way round."""
    section = "positions" if "/" in name else "cash"
    for values in ((internal, external), (external, internal)):
        internal_side, external_side = (
            {"as_of": AS_OF_TEXT, section: {name: value}} for value in values
        )
        content = document(internal=internal_side, external=external_side)
        reconciliation = reconcile_session(write_session(tmp_path, content), POLICY)
        assert list(verdicts(reconciliation).values()) == [expected]


@pytest.mark.parametrize(
    ("internal", "external", "expected"),
    [
        (("100", "60", "40"), ("100", "60", "40"), "match"),
        (("24.204227", "11", "13.204227"), ("24.204227", "13.204227", "11"), "WARN"),
        (("100", "60", None), ("100", "59", None), "WARN"),
        (("100", "60", None), ("100", None, "41"), "match"),
        (("5000", "4000", "1000"), ("4999.5", "3999.5", "1000"), "INFO"),
        (("5000", "4000", "1000"), ("4999.5", "1000", "3999.5"), "WARN"),
        (("5000", "4000", "1000"), ("4990", "3990", "1000"), "FAIL"),
    ],
)
def test_free_and_locked_are_warn_at_most(
    internal: tuple[str | None, ...], external: tuple[str | None, ...], expected: str
) -> None:
    """Free and locked count where both sides give them; the total alone can FAIL."""
    balances = [
        CashBalance("EUR", *(None if text is None else Decimal(text) for text in row))
        for row in (internal, external)
    ]
    assert judge(cash_comparison(*balances), Policy(), "s").verdict == expected


@pytest.mark.parametrize("currency", ["E\u200bUR", "C" * 70, "BTC,1"])
def test_a_tolerance_is_found_by_the_currencys_own_name(currency: str) -> None:
    """What is made safe for the message is not what the policy is asked for."""
    policy = Policy(cash=CashPolicy(absolute={currency: Decimal(1)}))
    assert judged_cash(Decimal(500), Decimal("499.5"), policy, currency).verdict == "INFO"
