"""A PostgreSQL server of a test's own: in a temporary directory, on a port of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .ports import free_port

PASSWORD = "p@ss/w:rd 'x"  # noqa: S105  # of a server that lives as long as its test
QUOTED = "p%40ss%2Fw%3Ard%20%27x"
_PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_FAST = (
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c listen_addresses=127.0.0.1"
)


def binary(name: str) -> str | None:
    """Where a program of PostgreSQL is: on the path, or where Debian keeps it."""
    return shutil.which(name) or next(
        (str(place / name) for place in _PLACES if (place / name).exists()), None
    )


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server; the URL of its database. Skips where there is no PostgreSQL."""
    initdb, ctl = binary("initdb"), binary("pg_ctl")
    if initdb is None or ctl is None:
        pytest.skip("PostgreSQL is not installed: there is no initdb")
    directory = Path(tempfile.mkdtemp(prefix="recon-pg-"))
    data, log, user = directory / "data", directory / "log", _user()
    try:
        secret = directory / "password"
        secret.write_text(PASSWORD)
        if user is not None:
            shutil.chown(directory, user)
            shutil.chown(secret, user)
        made = [initdb, "-D", data, "-U", "recon", "-A", "scram-sha-256", "-N", "-E", "UTF8"]
        _run([*made, "--locale=C", f"--pwfile={secret}"], user)
        port = free_port()
        options = f"{_FAST} -p {port} -k {directory}"
        _run([ctl, "-D", data, "-l", log, "-w", "-o", options, "start"], user)
        try:
            yield f"postgresql://recon:{QUOTED}@127.0.0.1:{port}/postgres"
        finally:
            _run([ctl, "-D", data, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(command: list[object], user: str | None) -> None:
    # A server keeps the pipe of its starter open, so nothing is captured.
    subprocess.run(
        [str(word) for word in command],
        user=user,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )


def _user() -> str | None:
    """Return who runs the server: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    known = Path("/etc/passwd").read_text(encoding="utf-8")
    return "postgres" if "\npostgres:" in known else "nobody"
