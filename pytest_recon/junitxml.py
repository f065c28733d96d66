"""pytest's own `--junitxml`."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element  # only written

import pytest

if TYPE_CHECKING:
    from recon_core.reports.junit import CaseReport


def add_to_junitxml(
    config: pytest.Config, properties: Mapping[str, str], cases: "Iterable[CaseReport]"
) -> None:
    """Put properties of the run, and cases that are of no item, into pytest's own report."""
    report = _report(config)
    if report is None:
        return
    for name, value in properties.items():
        report.add_global_property(name, value)
    for case in cases:
        _add(report, case)


def end_case(config: pytest.Config, report: pytest.TestReport) -> None:
    """End the case of an item as pytest does with its teardown, which this item has none of."""
    own = _report(config)
    if own is not None:
        own.finalize(report)


def _report(config: pytest.Config) -> Any:
    """The report that pytest will write, `None` where there is none."""
    try:
        from _pytest.junitxml import xml_key  # noqa: PLC0415  # pytest names it nowhere else
    except ImportError:
        return None
    return config.stash.get(xml_key, None)


def _add(report: Any, case: "CaseReport") -> None:
    # As pytest adds an internal error of its own.
    reporter = report.node_reporter(f"{case.class_name}::{case.name}")
    reporter.attrs.update(classname=case.class_name, name=case.name)
    outcome = Element(case.outcome, message=case.message)
    outcome.text = case.text
    reporter.append(outcome)
