"""pytest's own `--junitxml`."""

from typing import Any

import pytest


def add_to_junitxml(config: pytest.Config, properties: dict[str, str]) -> None:
    """Put properties of the run into the file of pytest's own `--junitxml`."""
    try:
        from _pytest.junitxml import xml_key  # noqa: PLC0415  # pytest names it nowhere else
    except ImportError:
        return
    report: Any = config.stash.get(xml_key, None)
    if report is not None:
        for name, value in properties.items():
            report.add_global_property(name, value)
