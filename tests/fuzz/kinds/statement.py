"""Statements of venues and brokers, each taken as the external side by its shipped mapping."""

from collections.abc import Sequence
from pathlib import Path

from recon_core.sessions.formats.shipped import sample_of, shipped_names

from ..answer import Answer, judged
from ..changes import Files, json_bytes
from .kind import Kind

_NAME = "session.recon.json"


def _session(name: str) -> Files:
    file, content = sample_of(name)
    session = {
        "schema": "recon.session/1",
        "session_id": name,
        "external": {"from": {"format": name, "path": file}},
        "internal": {"as_of": "2026-03-05T00:00:00Z", "fills": []},
    }
    return {_NAME: json_bytes(session), file: content}


def _seeds() -> Sequence[Files]:
    return list(map(_session, shipped_names()))


def _answer(directory: Path) -> Answer:
    return judged(directory / _NAME)


KIND = Kind("statement", 40, _seeds, _answer)
