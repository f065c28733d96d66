"""The recorder of vectorbt, on the real engine."""

from pathlib import Path

import pytest

from recon_core.recorders import record_vectorbt
from recon_core.values.errors import ReconError
from tests.engines.faults import is_clear, judged, named, recorded
from tests.engines.vectorbt_runs import np, pd, portfolio, prices, separate, shared, vbt

pytestmark = pytest.mark.filterwarnings("ignore")


def test_columns_that_share_cash_are_one_account(tmp_path: Path) -> None:
    """The simulator's log is the other side: what it filled, and what it had at the end."""
    shared(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.external is not None
    assert session.external.source == "vectorbt simulator"
    assert len(session.external.fills or ()) > 50
    assert [row.account for row in session.external.cash or ()] == [None]


def test_columns_of_their_own_cash_are_accounts(tmp_path: Path) -> None:
    """Without a log the portfolio's own sums are the other side."""
    separate(tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.external is not None
    assert session.external.source == "vectorbt portfolio"
    assert [row.account for row in session.external.cash or ()] == ["A", "B"]


@pytest.mark.parametrize(
    "options",
    [
        {"cash_sharing": True, "group_by": ["x", "y"]},
        {"group_by": True, "log": True},
        {"init_cash": "auto", "log": True},
        {"size_type": "targetpercent", "cash_sharing": True, "call_seq": "auto"},
        {"min_size": 20, "max_size": 60, "log": True},
        {"reject_prob": 0.3, "seed": 1, "log": True},
        {"direction": "longonly", "log": True, "allow_partial": True},
    ],
    ids=str,
)
def test_every_way_to_simulate_is_clear(options: dict[str, object], tmp_path: Path) -> None:
    """Groups, cash without a limit, targets, orders that are refused or filled in part."""
    made = portfolio(**options) if "size_type" not in options else _targets(options)
    record_vectorbt(made, tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert session.internal is not None
    assert session.internal.fills


def _targets(options: dict[str, object]) -> object:
    close = prices()
    weights = np.where(np.arange(len(close))[:, None] % 20 == 0, 0.4, np.nan)
    sizes = pd.DataFrame(weights.repeat(2, axis=1), index=close.index, columns=close.columns)
    return vbt.Portfolio.from_orders(close, sizes, group_by=True, fees=0.001, **options)


def test_signals_of_one_column(tmp_path: Path) -> None:
    """A series has one column, and its name is the symbol."""
    close = prices()["A"]
    entries = pd.Series(np.arange(len(close)) % 30 == 0, index=close.index, name="A")
    exits = pd.Series(np.arange(len(close)) % 30 == 15, index=close.index, name="A")
    made = vbt.Portfolio.from_signals(close, entries, exits, fees=0.001, freq="h")
    record_vectorbt(made, tmp_path / "run", currency="EUR")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert list(session.instruments) == ["A"]


def test_names_of_several_levels(tmp_path: Path) -> None:
    """Columns of a sweep of parameters are told apart by all their levels."""
    close = prices()
    close.columns = pd.MultiIndex.from_tuples([(10, "A"), (20, "A")], names=["window", "symbol"])
    record_vectorbt(portfolio(close), tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert is_clear(session)
    assert sorted(session.instruments) == ["10, A", "20, A"]


def test_an_order_that_the_records_lack_is_found(tmp_path: Path) -> None:
    """The simulator has filled it: the missing fill is named."""
    made = portfolio(cash_sharing=True, group_by=True, log=True)
    lossy = made.replace(order_records=np.delete(made.order_records, 40))
    record_vectorbt(lossy, tmp_path / "run")
    session = recorded(tmp_path / "run")
    assert not is_clear(session)
    found = judged(session)[1]
    assert named(found, frozenset({"missing_fill"}))
    assert [str(one.verdict) for one in found] == ["unique"]


def test_an_index_without_times_is_refused(tmp_path: Path) -> None:
    """Fills without times could be booked in any order."""
    with pytest.raises(ReconError, match="the index is a RangeIndex; expected times, a Datetime"):
        record_vectorbt(portfolio(prices().reset_index(drop=True)), tmp_path / "run")


def test_what_is_no_portfolio_is_refused(tmp_path: Path) -> None:
    """The mistake is its orders in its place, most often."""
    with pytest.raises(ReconError, match="of type Orders; expected Portfolio of vectorbt"):
        record_vectorbt(portfolio().orders, tmp_path / "run")
