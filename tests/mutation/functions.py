"""The functions of the project that exist in this process, and other code for them."""

import gc
import importlib
import os
import pkgutil
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType

from .mutants import PACKAGES, ROOT

Functions = Mapping[str, list[FunctionType]]
"""By file and qualified name."""


def load_everything() -> None:
    """Import both packages, so that every function exists."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages([str(ROOT / package)], f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)


def all_functions() -> Functions:
    """Every function of the project that exists, wrapped ones included, by file and name."""
    found: dict[str, list[FunctionType]] = defaultdict(list)
    for function in gc.get_objects():
        if isinstance(function, FunctionType):
            code = function.__code__
            if code.co_filename.startswith(f"{ROOT}{os.sep}"):
                path = os.path.relpath(code.co_filename, ROOT)
                found[f"{path}:{code.co_qualname}"].append(function)
    return found


def replace_codes(path: str, code: CodeType, functions: Functions) -> int:
    """Give the functions of a code, and those that were made inside it, their new code.

    Returns their number. A table that was made at import holds functions of the second kind.
    """
    count = 0
    for one in _with_inner(code):
        for function in _with_code_like(one, functions.get(f"{path}:{one.co_qualname}", [])):
            function.__code__ = one
            count += 1
    return count


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    """The code, and that of the functions inside it; lambdas of one line are alike and left out."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType) and not constant.co_name.startswith("<"):
            yield from _with_inner(constant)


def _with_code_like(code: CodeType, functions: list[FunctionType]) -> list[FunctionType]:
    """The functions that may have this code: of the same lines, with the same closure."""
    return [
        function
        for function in functions
        if function.__code__.co_firstlineno == code.co_firstlineno
        and function.__code__.co_freevars == code.co_freevars
    ]


def replace_all(codes: Iterable[CodeType], functions: Functions) -> None:
    """Give functions their new codes, each of which knows its file."""
    for code in codes:
        replace_codes(os.path.relpath(code.co_filename, ROOT), code, functions)
