"""Shared by all tests: pytester, the sizes of a property test, the lane of `make quick`."""

import gc
import importlib
import os
import pkgutil
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

import pytest_recon
import recon_core
from tests.kept import keep_answers, wait_for_no_disk
from tests.quick import QuickLane

pytest_plugins = ["pytester"]

settings.register_profile(
    "test", max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "quick", max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "soak", max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
# The same examples in every run, and none kept: a mutant makes examples fail.
settings.register_profile(
    "mutation",
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
SIZE = os.environ.get("RECON_TEST_SIZE", "test")
settings.load_profile(SIZE)


def pytest_configure(config: pytest.Config) -> None:
    """Run what a contributor runs, where that is asked for."""
    if SIZE == "quick":
        config.pluginmanager.register(QuickLane())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Pause the collector of cycles while items are made: it takes a quarter of that time.

    None of them is garbage. What was made counts as old afterwards, and as not set aside:
    the code of a large run asks whether a program has done that itself.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.unfreeze()
        gc.enable()


def _load_everything() -> None:
    """Import both packages before any test.

    `pytester` forgets the modules that a run inside the process has loaded: a second copy
    of one would have classes of its own, and the tests after it fail.
    """
    for package in (recon_core, pytest_recon):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


_load_everything()
keep_answers()
if SIZE != "soak":
    wait_for_no_disk()
