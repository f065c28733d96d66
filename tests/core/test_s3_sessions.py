"""Sessions by URL on a real S3 server of this machine: `make stores` installs it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recon_core.engine.reconciliation import reconcile_session
from recon_core.plugins.manager import extension_manager
from recon_core.sessions.discovery import named_sessions
from recon_core.values.errors import SessionError

from .builders import AS_OF_TEXT, document

boto3 = pytest.importorskip("boto3", reason="make stores installs an S3 server and its client")
server = pytest.importorskip("moto.server", reason="make stores installs an S3 server")
pytest.importorskip("s3fs", reason="make stores installs s3fs")

SECRET = "hunter2"  # noqa: S105  # of no account
SESSION: dict[str, Any] = document(
    internal={"as_of": AS_OF_TEXT, "fills": {"path": "rows/f.csv"}},
    external={"as_of": AS_OF_TEXT, "fills": {"path": "rows/g.csv"}},
)
CSV = f"fill_id,symbol,side,quantity,price,time\nf1,BTC/EUR,BUY,1,42000,{AS_OF_TEXT}\n"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of the server."""
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture(scope="module")
def bucket(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A bucket of 1,100 sessions: more than one page of a listing."""
    none = str(tmp_path_factory.getbasetemp() / "none")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": none,
            "AWS_SHARED_CREDENTIALS_FILE": none,
        }.items():
            patch.setenv(name, value)
        yield _filled(endpoint)


def _filled(endpoint: str) -> Any:
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="recordings")
    for number in range(1_100):
        key = f"2026/day/{number:04}.recon.json"
        client.put_object(Bucket="recordings", Key=key, Body=json.dumps(SESSION).encode())
    for name in ("f", "g"):
        client.put_object(Bucket="recordings", Key=f"2026/day/rows/{name}.csv", Body=CSV.encode())
    return client


def test_sessions_of_a_bucket(bucket: Any, tmp_path: Path) -> None:
    """They are listed page by page, fetched when they are judged, and by several processes."""
    found = named_sessions("s3://recordings/2026", tmp_path, extension_manager())
    assert len(found.anchors) == 1_100
    assert found.unjudged == []
    assert reconcile_session(found.anchors[7]).is_readable
    bucket.put_object(
        Bucket="recordings",
        Key="2026/day/0001.recon.json",
        Body=json.dumps(document(external={"as_of": AS_OF_TEXT, "cash": {"EUR": "1"}})).encode(),
    )
    command = [sys.executable, "-m", "recon_core.cli", "check", "--format", "json", "-j2"]
    done = subprocess.run(
        [*command, "s3://recordings/2026/day/000*.recon.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    answer = json.loads(done.stdout)
    assert len(answer["sessions"]) == 10
    worst = {each["path"]: each["summary"]["max_severity"] for each in answer["sessions"]}
    assert worst["s3://recordings/2026/day/0001.recon.json"] == "FAIL"
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("url", "variables", "expected"),
    [
        ("s3://nobody/day", {}, "'s3://nobody/day' matches no recorded session"),
        (
            "s3://recordings/day",
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_MAX_ATTEMPTS": "1"},
            "'s3://recordings/day' cannot be read: EndpointConnectionError of its library",
        ),
    ],
)
@pytest.mark.usefixtures("bucket")
def test_errors_of_the_store_are_one_line(
    url: str,
    variables: dict[str, str],
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """A bucket that is not there, and a server that does not answer."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SessionError) as caught:
        named_sessions(url, tmp_path, extension_manager())
    assert expected in str(caught.value)
    assert SECRET not in str(caught.value)
    s3fs.S3FileSystem.clear_instance_cache()
