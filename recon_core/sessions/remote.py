"""Sessions by URL: found in a store without being read, and fetched when they are.

fsspec knows the stores. A listing gives names alone, so that a million sessions are found before
the first is fetched. A session is fetched with the files that it names into a directory of its own,
is read there as any session is, and the directory is removed: nothing of it stays on the machine,
and every process and every worker of a cluster fetches what it judges itself.

A store says nothing about who wrote a file. A directory may hold `SHA256SUMS`, as `sha256sum`
writes it, for the files there and below. The list covers each directory of which it lists a file: a
file that is fetched from one has the digest that is listed, and a session that is listed is judged,
which is CRITICAL where the store does not have it. `day/SHA256SUMS` with `a.recon.json` and
`rows/f.csv` covers `day` and `day/rows`, and no other directory.

Errors of a library may quote a request with its signature; so none of their words is shown, and a
URL with a password or a query is refused.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from pluggy import PluginManager

from recon_core.model import RecordedSession
from recon_core.sessions.directory_search import (
    NATIVE_SUFFIX,
    SIMILAR,
    Discovery,
    search_directory,
)
from recon_core.sessions.sources import named_paths
from recon_core.sessions.unjudged_paths import Reason, UnjudgedPath
from recon_core.values.errors import SessionError
from recon_core.values.limits import URL_BYTES, URL_FILES, refuse_above
from recon_core.values.printable import printable, quoted
from recon_core.values.urls import is_local, local_path, url_of

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

SUMS: Final = "SHA256SUMS"
"""File of a directory that lists the digests of files there and below."""
_SUM: Final = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?([^\n]+)")
_MAGIC: Final = re.compile(r"[*?\[]")


class _DeniedError(SessionError):
    """The store denies access to a file."""


@dataclass(frozen=True, slots=True)
class _Store:
    """The files of one scheme, `s3` for example; every error is a `SessionError`."""

    scheme: str
    files: "AbstractFileSystem"

    @classmethod
    def of(cls, url: str) -> "_Store":
        """Return the store of a URL; raises `SessionError` where there is none."""
        scheme = url.partition("://")[0]
        _require_plain(url, scheme)
        try:
            import fsspec  # noqa: PLC0415  # an extra
            from fsspec.registry import known_implementations  # noqa: PLC0415  # as that
        except ImportError:
            raise SessionError(
                f"{scheme}://: sessions by URL need the extra url: pip install 'pytest-recon[url]'"
            ) from None
        known = known_implementations.get(scheme, {})
        try:
            return cls(scheme, fsspec.filesystem(scheme, use_listings_cache=False))
        except ImportError:
            hint = printable(known.get("err", "install the package that fsspec has for it"), 200)
            raise SessionError(f"{scheme}://: its package is missing: {hint}") from None
        except Exception as error:  # noqa: BLE001  # a library's, whose words may hold secrets
            problem = "is no scheme that fsspec knows" if not known else _reason(error)
            raise SessionError(f"{scheme}://: {problem}; expected one like s3 or gs") from None

    def url(self, key: str) -> str:
        """Return the URL of a file."""
        return f"{self.scheme}://{key}"

    def key(self, url: str) -> str:
        """Return the name of a file in the store."""
        return url.partition("://")[2].rstrip("/")

    def info(self, key: str) -> Mapping[str, Any] | None:
        """Return what the store says of a file or directory; `None` where there is none."""
        with self._readable(key):
            try:
                found: Mapping[str, Any] = self.files.info(key)
            except FileNotFoundError:
                return None
            return found

    def listed(self, key: str) -> Iterator[tuple[str, bool]]:
        """Yield the names in a directory, and True for a directory."""
        with self._readable(key):
            for entry in self.files.ls(key, detail=True):
                name = self._key_of(entry)
                if name != key:
                    yield name, entry["type"] == "directory"

    def matching(self, pattern: str) -> list[str]:
        """Return the files that a pattern names."""
        with self._readable(pattern):
            found = self.files.glob(pattern, detail=True).values()
            return [self._key_of(entry) for entry in found if entry["type"] == "file"]

    def fetch(self, key: str, to: Path) -> None:
        """Fetch a file whole."""
        with self._readable(key):
            to.parent.mkdir(parents=True, exist_ok=True)
            self.files.get_file(key, str(to))

    def _key_of(self, entry: Mapping[str, Any]) -> str:
        return str(entry["name"]).strip("/")

    @contextmanager
    def _readable(self, key: str) -> Iterator[None]:
        try:
            yield
        except SessionError:
            raise
        except Exception as error:  # noqa: BLE001  # a library's, whose words may hold secrets
            kind = _DeniedError if isinstance(error, PermissionError) else SessionError
            raise kind(f"{quoted(self.url(key), 300)} cannot be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file or bucket"
    if isinstance(error, PermissionError):
        return "the store denies access"
    return f"{type(error).__name__} of its library"


def _require_plain(url: str, scheme: str) -> None:
    """Refuse a URL that may hold a secret, before any message shows it, or that is a chain."""
    rest = url.partition("://")[2]
    if "@" in rest.partition("/")[0] or (scheme in {"http", "https"} and "?" in rest):
        raise SessionError(
            f"{printable(scheme, 20)}://: a URL with a user, a password or a query; expected "
            "credentials in the environment or the profile that the store's library reads"
        )
    parts = rest.rstrip("/").split("/")
    if "::" in url or not rest.strip("/") or {"", ".", ".."}.intersection(parts):
        raise SessionError(f"{quoted(url, 200)} is no plain URL; expected one like s3://bucket/day")


def remote_search(url: str, manager: PluginManager) -> Discovery:
    """Find the sessions at a URL: a file, a directory with all below it, or a pattern.

    Only names are looked at, so that a directory is searched for session files alone. Raises
    `SessionError` where the store cannot be listed.
    """
    if is_local(url):
        return search_directory(local_path(url), manager)
    store = _Store.of(url)
    key = store.key(url)
    info = store.info(key)
    if info is None:
        named = store.matching(key) if _MAGIC.search(key) else []
        return Discovery([Path(store.url(each)) for each in sorted(named)])
    if info["type"] != "directory":
        return Discovery([Path(store.url(key))], places=[Path(store.url(key))])
    found = _Search(store)
    folders = [(key, False)]
    while folders:
        folders += found.look(*folders.pop())
    return Discovery(sorted(found.sessions), found.unjudged, [Path(store.url(key))])


@dataclass(slots=True)
class _Search:
    """Collects what a search below one URL finds."""

    store: _Store
    sessions: set[Path] = field(default_factory=set)
    unjudged: list[UnjudgedPath] = field(default_factory=list)
    count: int = 0

    def look(self, folder: str, is_below: bool) -> list[tuple[str, bool]]:  # noqa: FBT001  # a pair
        """Look at a directory; returns those in it, with True if a session file is above them."""
        files, folders = [], []
        for key, is_directory in self.store.listed(folder):
            self.count += 1
            refuse_above(URL_FILES, self.count, f"{quoted(self.store.url(folder), 200)}: ")
            if not is_directory:
                files.append(key)
            elif PurePosixPath(key).name.startswith("."):
                self._pass_over(key, Reason.HIDDEN)
            else:
                folders.append(key)
        own = {key for key in files if key.endswith(NATIVE_SUFFIX)}
        if f"{folder}/{SUMS}" in files:
            listed = _sums(self.store, folder)
            names = () if listed is None else listed.digests
            own |= {f"{folder}/{name}" for name in names if name.endswith(NATIVE_SUFFIX)}
        self.sessions |= {Path(self.store.url(key)) for key in own}
        is_below = is_below or bool(own)
        for key in files:
            self._take_other(key, is_below=is_below)
        return [(key, is_below) for key in folders]

    def _take_other(self, key: str, *, is_below: bool) -> None:
        """Take a file that is no session; one beside or below a session may be its table."""
        name = PurePosixPath(key).name
        if name.endswith(NATIVE_SUFFIX) or name == SUMS:
            return
        if SIMILAR.search(name):
            self._pass_over(key, Reason.SIMILAR)
        elif not is_below:
            self._pass_over(key, Reason.REMOTE)

    def _pass_over(self, key: str, reason: Reason) -> None:
        self.unjudged.append(UnjudgedPath(Path(self.store.url(key)), reason))


def read_remote(path: Path, read: Callable[[Path], RecordedSession]) -> RecordedSession:
    """Fetch a session and read it; its anchor is `path`, and no file of it is left here."""
    url = url_of(path) or str(path)
    if is_local(url):
        return read(local_path(url))
    with fetched(url) as local:
        return replace(read(local), anchor=path)


@contextmanager
def fetched(url: str) -> Iterator[Path]:
    """Fetch a session with what it names, as long as the block lasts; yields its path here.

    A table is fetched alone, a source in another format with everything in its directory but
    session files.
    Raises `SessionError`.
    """
    store = _Store.of(url)
    key = store.key(url)
    folder, _, name = key.rpartition("/")
    with TemporaryDirectory(prefix="recon-") as place:
        root = Path(place).resolve()
        fetch = _Fetch(store, folder, root)
        fetch.file(key)
        session = root / name
        if name.endswith(NATIVE_SUFFIX):
            for path, recording_format in named_paths(session):
                fetch.named(path, with_neighbours=recording_format is not None)
        yield session


@dataclass(slots=True)
class _Fetch:
    """Fetches files of one session from `folder` of a store into `root`, and adds up their size."""

    store: _Store
    folder: str
    root: Path
    size: int = 0
    sums: "dict[str, _Sums | None]" = field(default_factory=dict)

    def named(self, path: Path, *, with_neighbours: bool) -> None:
        """Fetch what a session names; what is not there is said where it is read."""
        key = f"{self.folder}/{path.relative_to(self.root).as_posix()}"
        info = self.store.info(key)
        if info is None:
            return
        if info["type"] == "directory":
            self._directory(key)
        elif with_neighbours:
            self._directory(key.rpartition("/")[0])
        else:
            self.file(key)

    def _directory(self, folder: str) -> None:
        for key, is_directory in list(self.store.listed(folder)):
            if is_directory:
                self._directory(key)
            elif not key.endswith(NATIVE_SUFFIX):
                self.file(key)

    def file(self, key: str) -> None:
        """Fetch a file and verify it; raises `SessionError`."""
        shown, to = quoted(self.store.url(key), 300), self._place(key)
        if to.exists():
            return
        info = self.store.info(key)
        if info is None or info["type"] == "directory":
            raise SessionError(f"{shown} is missing; expected a file")
        size = int(info.get("size") or 0)
        self.size += size
        refuse_above(URL_BYTES, self.size, f"{shown} with what it names ")
        self.store.fetch(key, to)
        if to.stat().st_size != size:
            raise SessionError(f"{shown} has another size than its store says; fetch it again")
        self._verify(key, to, shown)

    def _place(self, key: str) -> Path:
        return self.root / PurePosixPath(key).relative_to(self.folder)

    def _verify(self, key: str, path: Path, shown: str) -> None:
        """Raise `SessionError` where a list of this directory or one above it says otherwise."""
        for folder in map(str, PurePosixPath(key).parents[:-1]):
            if folder not in self.sums:
                self.sums[folder] = _sums(self.store, folder)
            sums = self.sums[folder]
            name = str(PurePosixPath(key).relative_to(folder))
            if sums is None or _parent(name) not in sums.covered:
                continue
            if name not in sums.digests:
                raise SessionError(f"{shown} is not in {folder}/{SUMS}, as others beside it are")
            if sums.digests[name] != _digest(path):
                raise SessionError(f"{shown} has not the digest that {folder}/{SUMS} lists")


@dataclass(frozen=True, slots=True)
class _Sums:
    """A list of digests by name, and the directories that it covers."""

    digests: Mapping[str, str]
    covered: frozenset[str]


def _parent(name: str) -> str:
    return name.rpartition("/")[0]


def _sums(store: _Store, folder: str) -> _Sums | None:
    """Return the digests that a directory lists; `None` where it has no list."""
    key = f"{folder}/{SUMS}"
    try:
        info = store.info(key)
    except _DeniedError:  # so stores answer for what is not there in a directory that they hide
        return None
    return None if info is None else _parsed(store, key, repr(info), int(info.get("size") or 0))


@lru_cache(maxsize=16)
def _parsed(store: _Store, key: str, _state: str, size: int) -> _Sums:
    """Fetch and parse a list of digests once, as long as the store says that it is the same."""
    shown = quoted(store.url(key), 200)
    refuse_above(URL_BYTES, size, f"{shown} ")
    with TemporaryDirectory(prefix="recon-") as place:
        path = Path(place) / SUMS
        store.fetch(key, path)
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    sums = {}
    for number, line in enumerate(lines, start=1):
        match = _SUM.fullmatch(line)
        if match is None:
            raise SessionError(f"{shown} line {number}: expected a digest and a name of sha256sum")
        sums[match[2]] = match[1]
    return _Sums(sums, frozenset(map(_parent, sums)))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
