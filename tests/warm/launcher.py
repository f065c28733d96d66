"""A command that a warm interpreter runs: `launcher.py SOCKET PYTHON [SCRIPT] ARGUMENT...`.

It hands over its words, working directory, environment, and standard streams, and ends as the
other process does: with its status, or by its signal. It imports little, as its start is all that
it costs.
"""

import marshal
import os
import signal
import socket
import sys

STREAMS = [0, 1, 2]


def main(place: str, python: str, *arguments: str) -> None:
    """Run the command; by `python` itself where it would start otherwise than the warm one."""
    are_open = None not in (sys.stdin, sys.stdout, sys.stderr)
    answer = asked(place, list(arguments)) if are_open else b""
    if not answer:
        os.execv(python, [python, *arguments])  # noqa: S606
    status = os.waitstatus_to_exitcode(int.from_bytes(answer, "big"))
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def asked(place: str, arguments: list[str]) -> bytes:
    """Wait for the status of the other process, 4 bytes; none where it is refused."""
    request = marshal.dumps((arguments, os.getcwd(), dict(os.environb)))  # noqa: PTH109  # no import
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        socket.send_fds(connection, [len(request).to_bytes(8, "big")], STREAMS)
        connection.sendall(request)
        return connection.recv(4)


if __name__ == "__main__":
    main(*sys.argv[1:])
