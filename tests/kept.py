"""Answers that are the same for every run of pytest in one process, kept after the first run.

A run asks every installed package for its entry points three times, and every attribute of every
plugin whether it is a fixture or a hook; a traceback parses the modules of pytest again. That is
most of the time of a short run. What a test installs, registers or writes is new and is asked.
"""

import ast
import os
import stat
import warnings
from functools import cache, lru_cache
from importlib.metadata import PathDistribution
from inspect import isfunction
from types import ModuleType
from typing import Any
from weakref import WeakSet

from _pytest._code import code
from _pytest.fixtures import FixtureManager
from pluggy import _manager


def keep_answers() -> None:
    """Let packages and plugins be asked once; called once in a process."""
    for name in ("entry_points", "files", "metadata"):
        setattr(PathDistribution, name, _once_a_place(getattr(PathDistribution, name)))
    FixtureManager.pytest_plugin_registered = _without_fixtures(  # type: ignore[method-assign]
        FixtureManager.pytest_plugin_registered
    )
    statement = "getstatementrange_ast"
    setattr(code, statement, _parsed_once(getattr(code, statement)))
    if hasattr(_manager, "_static_hook_attr"):
        _manager._static_hook_attr = _functions_of_modules(_manager._static_hook_attr)


def wait_for_no_disk() -> None:
    """Let `os.fsync` of a file or directory return at once; called once in a process.

    No test of this process can see whether a disk has the bytes, and many write an audit log.
    A descriptor that is closed, or of something else, is refused as ever; processes of tests
    wait, and so does `make soak`.
    """
    wait = os.fsync

    def fsync(fd: Any) -> None:
        number = fd if isinstance(fd, int) else fd.fileno()
        mode = os.fstat(number).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            wait(number)

    os.fsync = fsync


def _once_a_place(attribute: property) -> property:
    """Read an attribute of an installed package once: one that a test installs has its place."""

    @cache
    def read(place: Any) -> Any:
        return attribute.__get__(PathDistribution(place))

    return property(lambda distribution: read(distribution._path))


def _without_fixtures(registered: Any) -> Any:
    """Look for fixtures in a module, or in objects of a class, unless an earlier one had none."""
    known = WeakSet[Any]()

    def pytest_plugin_registered(self: Any, plugin: Any, plugin_name: str) -> None:
        holder = plugin if isinstance(plugin, ModuleType | type) else type(plugin)
        if holder in known:
            return
        if plugin_name.endswith("conftest.py"):
            registered(self, plugin, plugin_name)  # its fixtures are looked for later
            return
        register, made = self._register_fixture, list[None]()
        self._register_fixture = lambda **fixture: made.append(register(**fixture))
        try:
            registered(self, plugin, plugin_name)
        finally:
            del self._register_fixture
        if not made:
            known.add(holder)

    return pytest_plugin_registered


def _functions_of_modules(looked_up: Any) -> Any:
    """Find a function of a module by its name, without a search for descriptors."""

    def static_hook_attribute(holder: Any, name: str) -> Any:
        found = vars(holder).get(name) if type(holder) is ModuleType else None
        return (found, found) if isfunction(found) else looked_up(holder, name)

    return static_hook_attribute


def _parsed_once(looked_up: Any) -> Any:
    """Find the statement of a line in the tree of its source, which is kept for 64 sources."""

    @lru_cache(maxsize=64)
    def parsed(text: str) -> ast.AST:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)

    def statement(lineno: int, source: Any, *, assertion: bool = False, astnode: Any = None) -> Any:
        return looked_up(lineno, source, assertion, astnode or parsed(str(source)))

    return statement
