"""`assert_reconciles` and the fixture `recon_engine`, for tests of a simulator."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

import pytest_recon
from pytest_recon import ReconDriftWarning, assert_reconciles
from pytest_recon.plugin import pytest_assertrepr_compare
from recon_core import (
    CashBalance,
    CashPolicy,
    ExternalSnapshot,
    Policy,
    Position,
    PositionLedger,
    ReconciliationEngine,
    ReconError,
    SideRecord,
    read_session,
)

from .conftest import REPORTS_CONFTEST, read_reports, run_pytest, write_blocked

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
STATE: dict[str, Any] = {
    "positions": {"BTC/EUR": Decimal("0.1")},
    "cash": {"EUR": Decimal("5000.00")},
}
EQUAL: list[Any] = [
    STATE,
    ExternalSnapshot(**STATE),
    ExternalSnapshot(
        positions=(Position("BTC/EUR", Decimal("0.10")),),
        cash=(CashBalance("EUR", Decimal(5000)),),
    ),
    SideRecord(
        as_of=datetime.now(UTC),  # the others are of now too
        positions=(Position("BTC/EUR", Decimal("0.1")),),
        cash=(CashBalance("EUR", Decimal(5000)),),
    ),
]


def state(position: str = "0.1", cash: str = "5000.00") -> dict[str, dict[str, Decimal]]:
    """A state with one position and one balance."""
    return {"positions": {"BTC/EUR": Decimal(position)}, "cash": {"EUR": Decimal(cash)}}


@pytest.mark.parametrize("external", EQUAL)
@pytest.mark.parametrize("internal", EQUAL)
def test_equal_states(internal: Any, external: Any) -> None:
    """A state is a mapping, a snapshot or a side; equal ones reconcile in silence."""
    assert_reconciles(internal, external)


def test_ledger() -> None:
    """A ledger is a state too."""
    ledger = PositionLedger(initial_cash={"EUR": Decimal(5000)})
    assert_reconciles(ledger, {"positions": {}, "cash": {"EUR": Decimal(5000)}})
    with pytest.raises(AssertionError, match=r"^cash EUR: FAIL, ledger 5000 EUR, "):
        assert_reconciles(ledger, {"positions": {}, "cash": {"EUR": Decimal(4000)}})
    with pytest.raises(AssertionError, match=r"^cash EUR: FAIL, ledger 4000 EUR, "):
        assert_reconciles({"positions": {}, "cash": {"EUR": Decimal(4000)}}, ledger)


@pytest.mark.parametrize("with_time", [True, False], ids=["timed", "untimed"])
def test_snapshot(with_time: bool) -> None:  # noqa: FBT001  # a case of the table
    """A snapshot's figures are compared, whether or not it says of when it is."""
    as_of = datetime.now(UTC) if with_time else None
    assert_reconciles(STATE, ExternalSnapshot(**STATE, as_of=as_of))
    with pytest.raises(AssertionError, match="position BTC/EUR: FAIL"):
        assert_reconciles(state("0.2"), ExternalSnapshot(**STATE, as_of=as_of))


@pytest.mark.parametrize(
    ("external", "first_line"),
    [
        (
            state(position="0.05"),
            (
                "position BTC/EUR: FAIL, ledger 0.1 BTC, exchange 0.05 BTC, delta 0.05 BTC, "
                "drift 50 % (INFO below 0.1 %, FAIL above 1 %)"
            ),
        ),
        (
            state(cash="4995.00"),
            (
                "cash EUR: FAIL, ledger 5000.00 EUR, exchange 4995.00 EUR, delta 5.00 EUR, "
                "tolerance 1.00 EUR = min(1 EUR, 0.5 % of 5000.00)"
            ),
        ),
        (
            {"positions": {}, "cash": STATE["cash"]},
            (
                "position BTC/EUR: FAIL, ledger 0.1 BTC, exchange 0 BTC (not listed), "
                "delta 0.1 BTC, drift 100 % (INFO below 0.1 %, FAIL above 1 %)"
            ),
        ),
        (
            {"cash": STATE["cash"]},
            "session coverage: FAIL, positions: reported by ledger, not by exchange",
        ),
        (
            {"positions": STATE["positions"]},
            "session coverage: FAIL, cash: reported by ledger, not by exchange",
        ),
        (
            {},
            (
                "session coverage: FAIL, positions: reported by ledger, not by exchange; "
                "cash: reported by ledger, not by exchange"
            ),
        ),
    ],
)
def test_difference(external: dict[str, Any], first_line: str) -> None:
    """A FAIL fails with its text; a section that one side does not report is one."""
    with pytest.raises(AssertionError) as caught:
        assert_reconciles(STATE, external)
    assert str(caught.value).splitlines()[0] == first_line


@pytest.mark.parametrize("empty", [{}, {"positions": {}, "cash": {}}])
def test_nothing_compared(empty: dict[str, Any]) -> None:
    """Two empty states do not reconcile: nothing was compared."""
    with pytest.raises(AssertionError, match="nothing was compared"):
        assert_reconciles(empty, empty)


def test_all_differences_are_shown() -> None:
    """All that fail are shown, a blank line between them."""
    with pytest.raises(AssertionError) as caught:
        assert_reconciles(state("0.1", "5000.00"), state("0.2", "4995.00"))
    texts = str(caught.value).split("\n\n")
    assert [text.partition(":")[0] for text in texts] == ["cash EUR", "position BTC/EUR"]


def test_text_of_an_item(pytester: pytest.Pytester) -> None:
    """The text is that of the items of the same session, an explanation once."""
    path = write_blocked(pytester.path / "blocked.recon.json")
    pytester.makeconftest(REPORTS_CONFTEST)
    run_pytest(pytester, f"--recon-session={path}")
    reports = read_reports(pytester)
    items = [
        without_item(report["text"]) for report in reports.values() if report["outcome"] == "failed"
    ]
    recorded = read_session(path)
    assert recorded.internal is not None
    assert recorded.external is not None
    with (
        pytest.warns(ReconDriftWarning),
        pytest.raises(AssertionError) as caught,
    ):
        assert_reconciles(recorded.internal, recorded.external, session_id="blocked")
    first, *others = items
    once = [first, *(text.partition("\n  No cause found")[0] for text in others)]
    assert str(caught.value).split("\n\n") == once


def without_item(text: str) -> str:
    """A failure text without the node id, which an assertion has none of."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("  item "))


def test_warn_warns() -> None:
    """A WARN passes with a warning in its words."""
    with pytest.warns(ReconDriftWarning, match=r"^position BTC/EUR: WARN, .* drift 0\.5 %"):
        assert_reconciles(state("0.1"), state("0.0995"))


def test_warn_beside_a_fail() -> None:
    """A WARN warns also where something else fails, and is not in the failure."""
    with (
        pytest.warns(ReconDriftWarning),
        pytest.raises(AssertionError) as caught,
    ):
        assert_reconciles(state("0.1", "1"), state("0.0995", "2"))
    assert "WARN" not in str(caught.value)


@pytest.mark.filterwarnings("error::pytest_recon.ReconDriftWarning")
def test_warn_as_an_error() -> None:
    """A filter makes a WARN fail."""
    with pytest.raises(ReconDriftWarning):
        assert_reconciles(state("0.1"), state("0.0995"))


def test_info_is_silent() -> None:
    """An INFO neither fails nor warns."""
    assert_reconciles(state("0.1", "5000.00"), state("0.09999", "4999.00"))


def test_policy() -> None:
    """A policy that is given holds."""
    strict = Policy(cash=CashPolicy(absolute={"EUR": Decimal(0)}))
    assert_reconciles(state(cash="5000.00"), state(cash="4999.99"))
    with pytest.raises(AssertionError, match="cash EUR: FAIL"):
        assert_reconciles(state(cash="5000.00"), state(cash="4999.99"), policy=strict)
    cash_only = Policy(require=("cash",))
    assert_reconciles(STATE, {"cash": STATE["cash"]}, policy=cash_only)


def test_times_apart() -> None:
    """States of different times are a WARN, as in a recording."""
    record = SideRecord(as_of=NOW, positions=(), cash=(CashBalance("EUR", Decimal(1)),))
    assert_reconciles(record, record)
    late = replace(record, as_of=NOW + timedelta(seconds=61))
    with pytest.warns(ReconDriftWarning, match=r"^session as-of: WARN, "):
        assert_reconciles(record, late)


@pytest.mark.parametrize(
    "wrong",
    [
        {"positions": {"BTC/EUR": 0.1}, "cash": {}},
        {"positions": {}, "cash": {"EUR": 5000.0}},
        {"positions": {"BTC/EUR": Decimal("NaN")}, "cash": {}},
        {"positions": {"BTC/EUR": Decimal("Infinity")}, "cash": {}},
        {"positions": {"BTC/EUR": "0,1"}, "cash": {}},
        {"positions": {"BTC/EUR": None}, "cash": {}},
        {"positions": {"BTC/EUR": True}, "cash": {}},
        {"positions": [], "cash": {}},
        {"positions": {}, "cash": ["EUR"]},
        {"position": {}, "cash": {}},
        {"positions": {}, "cash": {}, "orders": {}},
        None,
        5,
        "state",
    ],
)
def test_state_of_no_use(wrong: Any) -> None:
    """A binary float and whatever else is no exact state is refused, its argument named."""
    with pytest.raises(ReconError, match=r"^internal: "):
        assert_reconciles(wrong, STATE)
    with pytest.raises(ReconError, match=r"^external: "):
        assert_reconciles(STATE, wrong)


def test_amounts_may_be_text_or_whole_numbers() -> None:
    """As a session file and the recorder take them."""
    text = {"positions": {"BTC/EUR": "0.1"}, "cash": {"EUR": 5000}}
    assert_reconciles(text, STATE)
    assert_reconciles(STATE, text)
    message = r"^external: cash 'EUR': '5,000' is not an amount; expected a plain decimal"
    with pytest.raises(ReconError, match=message):
        assert_reconciles(STATE, {**text, "cash": {"EUR": "5,000"}})
    message = r"^external: 'postions' is an unknown key; did you mean positions\?"
    with pytest.raises(ReconError, match=message):
        assert_reconciles(STATE, {"postions": {}})


def test_an_explanation_is_said_once() -> None:
    """With the first of the differences that it explains."""
    with pytest.raises(AssertionError) as caught:
        assert_reconciles(state("0.1", "5000.00"), state("0.2", "4995.00"))
    text = str(caught.value)
    assert text.count("\n  No cause found: ") == 1
    assert text.count(": FAIL, ") == 2


def test_a_refusal_shows_the_test_alone(pytester: pytest.Pytester) -> None:
    """No frame of the library is between the call and the message."""
    pytester.makepyfile(
        """
        from pytest_recon import assert_reconciles

        def test_simulator():
            assert_reconciles({"cash": {"EUR": 0.1}}, {"cash": {"EUR": "0.1"}})
        """
    )
    result = run_pytest(pytester)
    result.stdout.fnmatch_lines(["E * internal: cash 'EUR': 0.1 is not an exact amount; *"])
    places = [line for line in result.outlines if re.match(r"[^ ]+\.py:\d+:", line)]
    assert len(places) == 1


@pytest.mark.parametrize("left", [[1], ["ReconDiff"], [None, None], [], (), 1])
def test_other_lists_are_shown_by_pytest(left: object) -> None:
    """Whatever is compared with an empty list in a test of somebody else."""
    assert pytest_assertrepr_compare("==", left, []) is None


def test_a_list_of_differences_is_shown_a_line_each(pytester: pytest.Pytester) -> None:
    """Where it was compared with an empty one; a `repr` is short."""
    pytester.makepyfile(
        """
        from recon_core import ExternalSnapshot

        def test_engine(recon_engine):
            snapshot = ExternalSnapshot(positions={"A": 1}, cash={"EUR": 1})
            assert recon_engine.reconcile(snapshot) == []
        """
    )
    result = run_pytest(pytester)
    result.stdout.fnmatch_lines(
        [
            "E *assert 2 differences",
            "E *cash EUR: FAIL, ledger 0 EUR (not listed), exchange 1 EUR, *",
            "E *position A: FAIL, ledger 0 (not listed), exchange 1, *",
        ]
    )
    assert "datetime.datetime" not in result.stdout.str()


def test_the_repr_of_a_difference_is_short() -> None:
    """Its description, cut where ids are long."""
    snapshot = ExternalSnapshot(positions={"A" * 500: Decimal(1)}, cash={})
    (diff,) = ReconciliationEngine().reconcile(snapshot)
    assert repr(diff).startswith("<ReconDiff position AAAA")
    assert len(repr(diff)) < 200


def test_failure_in_a_test(pytester: pytest.Pytester) -> None:
    """A failing test shows the text and no line of the assertion's own source."""
    pytester.makepyfile(
        """
        from decimal import Decimal
        from pytest_recon import assert_reconciles

        def test_simulator():
            state = {"positions": {}, "cash": {"EUR": Decimal("5000.00")}}
            assert_reconciles(state, {**state, "cash": {"EUR": Decimal("4995.00")}})
        """
    )
    result = run_pytest(pytester)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *cash EUR: FAIL, ledger 5000.00 EUR, *", "E * session *"])
    assert "__tracebackhide__" not in result.stdout.str()


@pytest.mark.parametrize(
    ("policy", "arguments", "severity"),
    [
        (None, (), "FAIL"),
        ('[cash]\nabsolute = { EUR = "10" }\n', (), "INFO"),
        ('[cash]\nabsolute = { EUR = "10" }\n', ("-n2",), "INFO"),
        ('[cash]\nabsolute = { EUR = "0" }\n', (), "FAIL"),
    ],
)
def test_engine(
    pytester: pytest.Pytester, policy: str | None, arguments: tuple[str, ...], severity: str
) -> None:
    """The fixture is an engine with empty ledgers under the policy of the run."""
    if policy is not None:
        (pytester.path / "recon.toml").write_text(policy)
    pytester.makepyfile(
        f"""
        from decimal import Decimal
        from recon_core import ExternalSnapshot, PositionLedger

        def test_is_empty(recon_engine):
            assert not recon_engine.position_ledger.positions
            assert not recon_engine.order_ledger.orders

        def test_simulator(recon_engine):
            recon_engine.position_ledger = PositionLedger(initial_cash={{"EUR": Decimal(5000)}})
            snapshot = ExternalSnapshot(positions={{}}, cash={{"EUR": Decimal(4995)}})
            [diff] = recon_engine.reconcile(snapshot)
            assert diff.severity == "{severity}"
        """
    )
    run_pytest(pytester, *arguments).assert_outcomes(passed=2)


def test_engine_with_a_bad_policy(pytester: pytest.Pytester) -> None:
    """A policy that cannot be used is an error of the test that needs it, in one line."""
    (pytester.path / "recon.toml").write_text("[cash")
    pytester.makepyfile(
        """
        def test_simulator(recon_engine): pass
        def test_other(): pass
        """
    )
    result = run_pytest(pytester)
    result.assert_outcomes(errors=1, passed=1)
    assert "recon policy: recon.toml: is not TOML" in result.stdout.str()


def test_what_the_package_does_not_have_is_an_attribute_error() -> None:
    """The late import of the assertion hides no other name's absence."""
    assert callable(pytest_recon.assert_reconciles)
    with pytest.raises(AttributeError, match="'pytest_recon' has no attribute 'assert_recon'"):
        pytest_recon.assert_recon  # noqa: B018
