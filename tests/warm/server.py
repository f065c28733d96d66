"""The warm interpreter: `server.py SESSION SOCKET LAUNCHER`, until its standard input ends.

At its end it removes the directory of its socket.

It imports pytest, its plugins and `recon`, and runs both once on a session. Each request is a
fork of it that becomes what a new interpreter would be. A request whose environment would make a
new interpreter another one, such as `PYTHONWARNINGS`, gets no answer.
"""

import atexit
import gc
import importlib
import io
import marshal
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import types
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Final

Request = tuple[list[str], str, dict[bytes, bytes]]

READ_AT_START: Final = (b"PYTHON", b"LC_", b"LANG")
"""What an interpreter reads of the environment once, by the beginnings of the names."""
READ_HERE: Final = (b"PYTHONPATH", b"PYTHONDONTWRITEBYTECODE")
"""What is taken over from a request."""


def main(session: str, place: str, launcher: str) -> None:
    """Import everything, then serve."""
    del sys.path[0]  # the directory of this file
    warm_up(session)
    serve(place, launcher)


def serve(place: str, launcher: str) -> None:
    """Answer requests; in a fork, run the program of one."""
    workers_by(launcher)
    gc.collect()
    request = Server(place, read_at_start(os.environb)).wait()
    if request:
        atexit.register(gc.freeze)  # lest the end of the interpreter look at all that is shared
        run(*request)
    else:
        shutil.rmtree(Path(place).parent)


def read_at_start(environment: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    """The part of an environment that an interpreter reads at its start and never again."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(READ_AT_START) and name not in READ_HERE
    }


def is_known(words: Sequence[str]) -> bool:
    """True if the words of a command are a script, module or code, without options but `-u`."""
    return bool(words) and (words[0][:2] in ("-u", "-m", "-c") or not words[0].startswith("-"))


def warm_up(session: str) -> None:
    """Import everything that a usual run imports, by running it."""
    import pytest

    from recon_core.cli import main as recon
    from tests.kept import keep_answers

    keep_answers()
    for name in ("tests.kept", "tests"):
        del sys.modules[name]  # what a process tests may have this name
    words = ["-p", "no:randomly", "-p", "no:cacheprovider"]
    outputs = ["--recon-explain=fast", "--recon-audit-log=log.jsonl", "--recon-junit=recon.xml"]
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        status = pytest.main([*words, *outputs, f"--recon-session={session}"])
        assert status == pytest.ExitCode.TESTS_FAILED, "the run did not get to its end"
        for command in (["check", session], ["explain", session], ["--help"]):
            with suppress(SystemExit):
                recon(command)
    # After pytest, which rewrites the assertions of its plugins as it imports them.
    for module in ("dsession", "remote", "workermanage"):
        importlib.import_module(f"xdist.{module}")


def workers_by(launcher: str) -> None:
    """Let pytest-xdist start its workers by a launcher."""
    from execnet import gateway_io

    arguments = gateway_io.popen_args
    gateway_io.popen_args = lambda spec: [launcher, *arguments(spec)[1:]]


class Server:
    """Takes requests and says how their processes ended."""

    def __init__(self, place: str, own: Mapping[bytes, bytes]) -> None:
        self._own = own
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(place)
        self._listening.listen()
        self._events = selectors.DefaultSelector()
        self._events.register(self._listening, selectors.EVENT_READ)
        self._events.register(0, selectors.EVENT_READ)
        self._running: dict[int, tuple[int, socket.socket]] = {}
        """The process and its launcher, by what becomes readable when the process ends."""
        print("ready", flush=True)  # noqa: T201

    def wait(self) -> Request | None:
        """Serve; returns a request in the fork that is to run it, and nothing at the end."""
        while True:
            for key, _ in self._events.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is self._listening:
                    request = self._accept()
                    if request:
                        return request
                elif key.data:
                    # Its launcher is gone; the process may have ended at the same moment.
                    if any(process == key.data for process, _ in self._running.values()):
                        os.kill(key.data, signal.SIGKILL)
                        self._events.unregister(key.fileobj)
                else:
                    self._ended(key.fd)

    def _accept(self) -> Request | None:
        connection, _ = self._listening.accept()
        head, streams, _, _ = socket.recv_fds(connection, 8, 3)
        with connection.makefile("rb") as reading:
            words, directory, environment = marshal.loads(  # noqa: S302
                reading.read(int.from_bytes(head, "big"))
            )
        if read_at_start(environment) == self._own and is_known(words):
            process = os.fork()
        else:
            connection.close()
            process = None
        if process == 0:
            self._leave(connection)
            for number, stream in enumerate(streams):
                os.dup2(stream, number)
        for stream in streams:
            os.close(stream)
        if process:
            end = os.pidfd_open(process)
            self._running[end] = process, connection
            self._events.register(end, selectors.EVENT_READ)
            self._events.register(connection, selectors.EVENT_READ, data=process)
        return (words, directory, environment) if process == 0 else None

    def _leave(self, connection: socket.socket) -> None:
        """Close, in a fork, what belongs to the server."""
        self._events.close()
        self._listening.close()
        connection.close()
        for end, (_, other) in self._running.items():
            os.close(end)
            other.close()

    def _ended(self, end: int) -> None:
        process, connection = self._running.pop(end)
        _, status = os.waitpid(process, 0)
        self._events.unregister(end)
        os.close(end)
        if connection in self._events.get_map():
            self._events.unregister(connection)
            with suppress(BrokenPipeError, ConnectionResetError):  # its launcher is gone as well
                connection.sendall(status.to_bytes(4, "big"))
        connection.close()


def run(words: list[str], directory: str, environment: Mapping[bytes, bytes]) -> None:
    """Run a module, code or script as a new interpreter would, `python WORD...`."""
    os.environ.clear()
    os.environb.update(environment)
    os.chdir(directory)
    is_unbuffered = words[0] == "-u" or bool(environment.get(b"PYTHONUNBUFFERED"))
    words = words[words[0] == "-u" :]
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        setattr(sys, name, stream(number, name, is_unbuffered=is_unbuffered))
        setattr(sys, f"__{name}__", getattr(sys, name))
    sys.dont_write_bytecode = b"PYTHONDONTWRITEBYTECODE" in environment
    paths = os.environ.get("PYTHONPATH", "")
    sys.path[:0] = [str(Path(path).absolute()) for path in paths.split(os.pathsep) if path]
    option, first = words[0][:2], words[0][2:]
    if option in ("-m", "-c"):
        first, *rest = [first, *words[1:]] if first else words[1:]
        sys.path.insert(0, directory if option == "-m" else "")
        sys.argv = [option, *rest]
        if option == "-m":
            runpy.run_module(first, run_name="__main__", alter_sys=True)
        else:
            program = sys.modules["__main__"] = types.ModuleType("__main__")
            exec(compile(first, "<string>", "exec"), vars(program))  # noqa: S102
    else:
        sys.path.insert(0, str(Path(words[0]).resolve().parent))
        sys.argv = words
        runpy.run_path(words[0], run_name="__main__")


def stream(number: int, name: str, *, is_unbuffered: bool) -> io.TextIOWrapper:
    """A standard stream as an interpreter opens it."""
    former = getattr(sys, f"__{name}__")
    mode = "r" if name == "stdin" else "w"
    raw = io.FileIO(number, mode, closefd=False)
    raw.name = f"<{name}>"
    buffer: io.FileIO | io.BufferedReader | io.BufferedWriter = raw
    if name == "stdin":
        buffer = io.BufferedReader(raw)
    elif not is_unbuffered:
        buffer = io.BufferedWriter(raw)
    opened = io.TextIOWrapper(
        buffer,
        former.encoding,
        former.errors,
        line_buffering=not is_unbuffered and (name == "stderr" or raw.isatty()),
        write_through=is_unbuffered,
    )
    opened.mode = mode  # type: ignore[misc]
    return opened


if __name__ == "__main__":
    main(*sys.argv[1:])
