"""A warm interpreter is to a test what a new one is."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.warm import IS_WARM, warm_commands, warm_python

pytestmark = pytest.mark.skipif(not IS_WARM, reason="new interpreters are started here")

PROGRAM = """
import os, sys
print(sys.argv, sys.path, os.getcwd(), os.environ, sys.flags, sys.executable, __name__)
print([(it.name, it.encoding, it.errors, it.line_buffering, it.write_through, it.mode)
       for it in (sys.stdin, sys.stdout, sys.stderr)], file=sys.stderr)
print(sys.stdin.read())
sys.exit(int(sys.argv[1]))
"""


def both(*words: str, **settings: Any) -> list[tuple[int, str, str]]:
    """The status and both outputs, of a new interpreter and of the warm one."""
    ended = [
        subprocess.run(
            [python, *words],
            capture_output=True, text=True, check=False, input="read", timeout=60, **settings,
        )
        for python in (sys.executable, warm_python())
    ]  # fmt: skip
    return [(each.returncode, each.stdout, each.stderr) for each in ended]


@pytest.mark.parametrize("words", [("-c", PROGRAM), ("-u", "-c", PROGRAM), ("it.py",), ("-mit",)])
def test_words_streams_and_paths_are_the_same(words: tuple[str, ...], tmp_path: Path) -> None:
    """A program sees the same words, paths, environment, flags and streams, and its status."""
    (tmp_path / "it.py").write_text(PROGRAM)
    given = {**os.environ, "PYTHONPATH": "elsewhere", "RECON_CANARY": "ö"}
    new, warm = both(*words, "7", cwd=tmp_path, env=given)
    assert new[0] == 7
    assert warm == new


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGABRT])
def test_a_signal_ends_both(number: int) -> None:
    """A process that is killed is seen to be."""
    new, warm = both("-c", f"import os; os.kill(os.getpid(), {int(number)})")
    assert new[0] == -number
    assert warm == new


def test_an_exception_ends_with_1() -> None:
    """The last line of the traceback is the same."""
    new, warm = both("-c", "1 / 0")
    assert new[0] == warm[0] == 1
    assert (
        new[2].splitlines()[-1] == warm[2].splitlines()[-1] == "ZeroDivisionError: division by zero"
    )


@pytest.mark.parametrize(
    ("words", "more"),
    [(("-W", "error"), {}), ((), {"PYTHONWARNINGS": "error"}), ((), {"PYTHONOPTIMIZE": "1"})],
)
def test_what_an_interpreter_reads_at_its_start(
    words: tuple[str, ...], more: dict[str, str]
) -> None:
    """A new interpreter starts where the warm one would have begun otherwise."""
    code = "import sys; print(sys.flags, sys.warnoptions, sys._getframe().f_back)"
    new, warm = both(*words, "-c", code, env={**os.environ, **more})
    assert warm == new


def test_a_closed_stream_is_closed() -> None:
    """A program that has no standard output is not given another one."""
    code = "import sys; sys.exit(sys.stdout is None)"
    ended = subprocess.run(["sh", "-c", f"{warm_python()} -c '{code}' >&-"], check=False)
    assert ended.returncode == 1


def test_a_program_ends_with_its_launcher() -> None:
    """A test that waits in vain leaves no process behind."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    with subprocess.Popen(
        [warm_python(), "-c", code], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        process = int(running.stdout.readline())
        assert process != running.pid
        running.kill()
    until = time.monotonic() + 30
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert not Path(f"/proc/{process}").exists()


def test_the_commands_are_those_of_the_environment() -> None:
    """`pytest` and `recon` by their names; a program has the modules of its parent no more."""
    for command in ("pytest", "recon"):
        ended = [
            subprocess.run([place / command, "--version"], capture_output=True, check=True).stdout
            for place in (Path(sys.executable).parent, warm_commands())
        ]
        assert ended[0] == ended[1]
    code = "import sys; print('tests' in sys.modules, 'recon_core' in sys.modules)"
    assert subprocess.check_output([warm_python(), "-c", code], text=True) == "False True\n"
