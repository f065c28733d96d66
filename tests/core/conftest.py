"""Fixtures of the core's tests."""

import pytest

from .refusals import CANARY


@pytest.fixture(autouse=True)
def canary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something in the environment that no message may show."""
    monkeypatch.setenv("RECON_TEST_CANARY", CANARY)
