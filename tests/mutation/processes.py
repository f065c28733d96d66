"""The processes of tests with other code: they fork from a warm interpreter that has it.

`load_processes` once, then `change_processes` in each child of the run.
"""

import builtins
import marshal
import resource
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from tests.warm import fork_from
from tests.warm.server import serve

from .children import MEMORY
from .functions import all_functions, load_everything, replace_all

SINK = "__run_in_the_survey__"
"""The name of the function that a noting code calls with the place of a mutant."""

PROCESSOR = 60
"""Seconds of processor of a process that a test starts: one may outlive its test."""


@dataclass(slots=True)
class Notes:
    """Places that processes have run: each adds a place to the file once."""

    file: Path
    _known: set[str] = field(default_factory=set)

    def __call__(self, place: str) -> None:
        """Note a place."""
        if place not in self._known:
            self._known.add(place)
            with self.file.open("ab", buffering=0) as notes:
                notes.write(f"{place}\n".encode())

    def taken(self) -> set[str]:
        """The places noted since the last question."""
        found = {*self.file.read_text().splitlines()}
        self.file.write_bytes(b"")
        return found


def load_processes() -> None:
    """Let the processes of tests fork from an interpreter that has imported both packages."""
    fork_from("-c", "from tests.mutation.processes import serve_loaded; serve_loaded()")


def change_processes(codes: Iterable[CodeType], notes: str = "") -> None:
    """Let the processes of tests have other code; what it notes goes to a file."""
    with tempfile.NamedTemporaryFile("wb") as file:
        file.write(marshal.dumps([*codes]))
        file.flush()
        program = "from tests.mutation.processes import serve_changed; serve_changed()"
        fork_from("-c", program, file.name, notes)


def serve_loaded() -> None:
    """Be such an interpreter."""
    load_everything()
    _serve(*sys.argv[1:])


def serve_changed() -> None:
    """Be an interpreter with the codes of a file, and serve."""
    codes, notes, *words = sys.argv[1:]
    if notes:
        setattr(builtins, SINK, Notes(Path(notes)))
    replace_all(marshal.loads(Path(codes).read_bytes()), all_functions())  # noqa: S302
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
    _serve(*words)


def _serve(*words: str) -> None:
    for name in [*sys.modules]:
        if name.partition(".")[0] == "tests":
            del sys.modules[name]  # what a process tests may have this name
    serve(*words)
