"""Files with a URL in place of a path: `s3://bucket/day.recon.json`.

A path of such a file is `Path(url)`, `s3:/bucket/day.recon.json`, which no absolute path is: so
the anchor of a session says by itself where it is, in any process and on any machine.
"""

import re
from pathlib import Path
from typing import Final
from urllib.parse import unquote

_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]+"
_URL: Final = re.compile(rf"{_SCHEME}://.*", re.DOTALL)
_FIRST_PART: Final = re.compile(rf"{_SCHEME}:")


def is_url(name: str) -> bool:
    """True if a word of a command line or of a setting is a URL."""
    return _URL.fullmatch(name) is not None


def url_of(path: Path) -> str | None:
    """Return the URL that a path is made of; `None` for any other path."""
    parts = path.parts
    if len(parts) < 2 or not _FIRST_PART.fullmatch(parts[0]):  # noqa: PLR2004  # scheme and place
        return None
    return f"{parts[0]}//{'/'.join(parts[1:])}"


def is_local(url: str) -> bool:
    """True if a URL is that of a file of this machine."""
    return url.lower().startswith("file://")


def local_path(url: str) -> Path:
    """Return the path of a URL of this machine: `file:///runs/day` is `/runs/day`."""
    return Path("/" + unquote(url.partition("://")[2]).lstrip("/"))
