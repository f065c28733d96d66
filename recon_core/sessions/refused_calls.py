"""Refused calls of a simulator, reported to it even where it swallows errors.

Event buses log the exception of a handler and continue. The row is lost then, and nothing
in the recording would show it: a recording with a refused call is never complete.
"""

import warnings
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from recon_core.values.errors import ReconWarning
from recon_core.values.printable import printable

_Arguments = ParamSpec("_Arguments")


class _Noting(Protocol):
    def note_refusal(self, error: Exception) -> None: ...


_Recording = TypeVar("_Recording", bound=_Noting)


def noted(
    method: Callable[Concatenate[_Recording, _Arguments], None],
) -> Callable[Concatenate[_Recording, _Arguments], None]:
    """The method, whose errors its object notes before the caller sees them."""

    @wraps(method)
    def call(
        recording: _Recording, /, *arguments: _Arguments.args, **fields: _Arguments.kwargs
    ) -> None:
        try:
            method(recording, *arguments, **fields)
        except Exception as error:
            recording.note_refusal(error)
            raise

    return call


def warn_of(refused: Sequence[str], directory: object) -> None:
    """Say at the end which calls were refused (`ReconWarning`)."""
    if refused:
        calls = "1 call was" if len(refused) == 1 else f"{len(refused)} calls were"
        text = f"{calls} refused, and the recording stays incomplete; the first: {refused[0]}"
        warnings.warn(f"{printable(directory)}: {text}", ReconWarning, stacklevel=4)
