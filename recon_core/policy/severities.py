"""The severity of findings on fills, orders and movements (design, "Orders and fills")."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from recon_core.model.matched_rows import RowCase
from recon_core.values.errors import PolicyError
from recon_core.values.printable import quoted
from recon_core.values.severity import JUDGED, Severity

_MILDER: Final = {
    RowCase.FILL_FEE: Severity.WARN,
    RowCase.FILL_TIME: Severity.WARN,
    RowCase.FILL_AGGREGATED: Severity.INFO,
    RowCase.MOVEMENT_AGGREGATED: Severity.INFO,
    RowCase.ORDER_TIME: Severity.WARN,
}
DEFAULT_SEVERITIES: Final[Mapping[RowCase, Severity]] = MappingProxyType(
    {case: _MILDER.get(case, Severity.FAIL) for case in RowCase}
)
"""FAIL; WARN where only a fee or only a time differs; INFO where rows differ and no sum does."""


def effective_severities(given: Mapping[str, Severity | str]) -> dict[RowCase, Severity]:
    """All cases with their severity, the given ones replaced; INFO is the lowest.

    Raises `PolicyError` for a case or a severity that does not exist.
    """
    effective = dict(DEFAULT_SEVERITIES)
    for case, severity in given.items():
        if case not in _CASES:
            raise PolicyError(f"severity.{quoted(case)}: unknown key")
        if severity not in _SEVERITIES:
            accepted = ", ".join(JUDGED)
            raise PolicyError(f"severity.{case}: {quoted(severity)}; expected one of {accepted}")
        effective[RowCase(case)] = Severity(severity)
    return effective


_CASES: Final = frozenset(RowCase)
_SEVERITIES: Final = frozenset(JUDGED)
