"""The project's settings, found where pytest finds its own when started without arguments.

The `recon` command has no configuration file other than pytest's, so that one setting holds
for both. A setting on pytest's command line, in `PYTEST_ADDOPTS` or in a file named with
`-c` is pytest's alone.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recon_core.model.explanation import Effort
from recon_core.policy.file_names import POLICY_FILE, PYPROJECT
from recon_core.policy.nearby import unused_policies
from recon_core.policy.waivers import WAIVER_FILES, Waivers, today
from recon_core.sessions.unjudged_paths import listed, shown_path
from recon_core.values.errors import PolicyError, ReconError
from recon_core.values.limits import TOML_BYTES, LimitError, lines_of, read_limits, refuse_above
from recon_core.values.printable import printable, quoted, without_paths

if TYPE_CHECKING:
    from recon_core.policy.model import Policy

FAIL_ON_CHOICES: Final = ("fail", "warn")
EXPLAIN_CHOICES: Final = tuple(map(str, Effort))
BUILT_IN: Final = "built-in"
DEFAULT_MAX_ITEMS: Final = 20_000
"""Fills or orders of a session above which the equal ones are one item."""
_MOST_DIGITS: Final = 12
"""Digits of a number in a setting; no run has so many rows or bytes."""
_ON: Final = frozenset({"y", "yes", "t", "true", "on", "1"})
_OFF: Final = frozenset({"n", "no", "f", "false", "off", "0"})
_UNITS: Final[Mapping[str, int]] = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_SIZE: Final = re.compile(rf"([1-9][0-9]{{0,11}}) ?({'|'.join(_UNITS)})?", re.ASCII)

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """Settings of the project's configuration; paths are absolute, an absent setting is `None`."""

    root: Path
    audit_log: Path | None = None
    policy: Path | None = None
    fail_on: str | None = None
    max_items: str | None = None
    explain: str | None = None
    require_policy: bool = False
    limits: Mapping[str, int] = field(default_factory=dict)
    audit_rotate: str | None = None
    check_audit_log: bool = False
    waivers: tuple[Path, ...] = ()

    @property
    def audit_log_of_check(self) -> Path | None:
        """The log that `recon check` appends to unasked: none, or by a setting the project's.

        Raises `ReconError` where the setting is on and no log is named.
        """
        if self.check_audit_log and self.audit_log is None:
            raise ReconError("recon_check_audit_log: is on; expected a file in recon_audit_log too")
        return self.audit_log if self.check_audit_log else None

    def lowest_failing(self, option: str | None = None) -> str:
        """`fail` or `warn`: option, setting, `fail`; raises `ReconError` for another word."""
        value = option or self.fail_on or FAIL_ON_CHOICES[0]
        if value not in FAIL_ON_CHOICES:
            raise ReconError(f"recon_fail_on: {quoted(value)}; expected fail or warn")
        return value

    def most_items(self, option: int | None = None) -> int:
        """Return the most fills or orders that are items: option, setting, 20,000; `ReconError`."""
        return most_items(option, self.max_items or "")

    def explain_effort(self, option: str | None = None) -> Effort:
        """Return the effort of the search: option, setting, fast; raises `ReconError`."""
        return effort(option, self.explain or "")

    def rotate_at(self, option: str | None = None) -> int | None:
        """The size in bytes at which a new file of the log begins; raises `ReconError`."""
        return rotate_at(option, self.audit_rotate or "")

    def policy_source(self, option: Path | None = None) -> Path | None:
        """The policy file that holds: option, setting, `recon.toml`, `pyproject.toml`."""
        return policy_source(option, self.policy, self.root)

    def waiver_sources(self, options: Sequence[Path] = ()) -> list[Path]:
        """The files of waivers that hold: options, setting, those of the project."""
        return waiver_sources(options, self.waivers, self.root)


def most_items(option: int | None, text: str) -> int:
    """The option, else the setting `recon_max_items`, else 20,000; raises `ReconError`."""
    if option is not None or not text:
        return DEFAULT_MAX_ITEMS if option is None else option
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ReconError(f"recon_max_items: {quoted(text)}; expected a whole number of 0 or more")
    return int(text)


def rotate_at(option: str | None, text: str) -> int | None:
    """The option, else the setting `recon_audit_rotate`, in bytes; raises `ReconError`."""
    value = text if option is None else option
    if option is None and not value:
        return None
    match = _SIZE.fullmatch(value)
    if match is None:
        raise ReconError(
            f"recon_audit_rotate: {quoted(value)}; expected a size of 1 or more such as 256MiB "
            f"({', '.join(_UNITS)})"
        )
    return int(match[1]) * _UNITS[match[2] or "B"]


def effort(option: str | None, text: str) -> Effort:
    """The option, else the setting `recon_explain`, else fast; raises `ReconError`."""
    value = option or text or Effort.FAST
    if value not in EXPLAIN_CHOICES:
        raise ReconError(f"recon_explain: {quoted(value)}; expected off, fast or full")
    return Effort(value)


def policy_source(option: Path | None, setting: Path | None, root: Path) -> Path | None:
    """The policy file that holds, `None` for the built-in policy (design, "Names to keep").

    `option` and `setting` are what the command line and the configuration name, `root`
    is where `recon.toml` and the `[tool.recon]` of `pyproject.toml` are looked for.
    """
    if option is not None or setting is not None:
        return setting if option is None else option
    for name in (POLICY_FILE, PYPROJECT):
        path = root / name
        # A dangling link is a mistake to report, not a reason for the built-in policy.
        if os.path.lexists(path):
            return path
    return None


def waiver_sources(options: Sequence[Path], setting: Sequence[Path], root: Path) -> list[Path]:
    """The files of waivers that hold; without options and setting those of the project."""
    if options or setting:
        return list(options or setting)
    # A dangling link is a mistake to report, not a reason for no waivers.
    return [root / name for name in WAIVER_FILES if os.path.lexists(root / name)]


def effective_waivers(paths: Sequence[Path], policy: "Policy") -> Waivers:
    """The waivers of all files as they are today; raises `PolicyError` for one of no use."""
    if not paths:
        return Waivers(today())
    from recon_core.policy.waiver_file import read_waivers  # noqa: PLC0415  # brings pydantic

    return read_waivers(paths, today(), policy.waiver_days)


def effective_policy(path: Path | None, required_by: str | None = None) -> "tuple[Policy, str]":
    """The policy of a file, and its name for reports; `built-in` where there is none.

    Raises `PolicyError` where the file is no use, and for the built-in policy where
    `required_by`, an option or a setting, asks for another one.
    """
    policy, name = _policy_of(path)
    if required_by is not None and name == BUILT_IN:
        raise PolicyError(
            f"built-in, and {required_by} asks for a policy file; expected one that an option or "
            "the setting recon_policy names, recon.toml or [tool.recon]"
        )
    return policy, name


def _policy_of(path: Path | None) -> "tuple[Policy, str]":
    from recon_core.policy.model import Policy  # noqa: PLC0415  # not at pytest's start

    if path is None:
        return Policy(), BUILT_IN
    from recon_core.policy.toml_file import (  # noqa: PLC0415  # brings pydantic
        read_policy,
        read_pyproject_policy,
    )

    if path.name != PYPROJECT:
        return read_policy(path), printable(path.name)
    policy = read_pyproject_policy(path)
    return (Policy(), BUILT_IN) if policy is None else (policy, PYPROJECT)


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """The policy file of a run, `None` for the built-in policy, and the lines on it.

    `directory` is where the run was started, as paths are shown from there; `root` is the
    project's and `anchors` are the sessions: a policy may have been written beside any.
    """

    path: Path | None
    directory: Path
    root: Path
    anchors: Sequence[Path] = ()

    @property
    def name(self) -> str:
        """`built-in`, or the path of the file."""
        return BUILT_IN if self.path is None else shown_path(self.path, self.directory)

    def source_of(self, key: Sequence[str]) -> str:
        """Return where a key of the policy has its value from: the file, or `built-in`."""
        table: object = {} if self.path is None else self._table
        for part in key:
            table = table.get(part) if isinstance(table, dict) else None
        return BUILT_IN if table is None else self.name

    @property
    def _table(self) -> object:
        from recon_core.policy.toml_file import load_toml  # noqa: PLC0415  # brings pydantic

        assert self.path is not None  # noqa: S101  # asked for where there is a file
        table = load_toml(self.path)
        tool = table.get("tool") if self.path.name == PYPROJECT else None
        return tool.get("recon") if isinstance(tool, dict) else table

    def lines(self) -> list[str]:
        """The policy in force, and the policy files near the run that are not used."""
        starts = dict.fromkeys([self.directory, self.root, *(one.parent for one in self.anchors)])
        unused = [shown_path(one, self.directory) for one in unused_policies(self.path, starts)]
        more = [f"policy not used: {listed(unused)}"] if unused else []
        return [f"policy {self.name}", *more]


def find_settings(directory: Path) -> ProjectSettings:
    """The settings that hold in `directory`; raises `ReconError` for a file of no use."""
    place, table = _located(directory)
    if table is None:
        return ProjectSettings(place)
    audit_log, policy = _text(table, "recon_audit_log"), _text(table, "recon_policy")
    return ProjectSettings(
        place,
        audit_log=place / audit_log if audit_log else None,
        policy=place / policy if policy else None,
        fail_on=_text(table, "recon_fail_on") or None,
        max_items=_number_text(table, "recon_max_items") or None,
        explain=_text(table, "recon_explain") or None,
        require_policy=_flag(table, "recon_require_policy"),
        limits=limits_of(table.get("recon_limits", []), ()),
        audit_rotate=_number_text(table, "recon_audit_rotate") or None,
        check_audit_log=_flag(table, "recon_check_audit_log"),
        waivers=tuple(place / name for name in _names(table, "recon_waivers")),
    )


def limits_of(setting: object, options: Iterable[str], option: str = "") -> dict[str, int]:
    """The changed limits of the setting `recon_limits` and of the options, which hold over it.

    `option` is the name of these in messages. Raises `ReconError` for one of no use.
    """
    lines = lines_of(setting, "recon_limits")
    return read_limits(lines, "recon_limits") | read_limits(options, option)


def _text(table: Table, name: str) -> str:
    value = table.get(name, "")
    if not isinstance(value, str):
        raise ReconError(f"{name}: {quoted(value)}; expected text")
    return value


def _names(table: Table, name: str) -> list[str]:
    """Names of files, one a line or a list of text."""
    value = table.get(name, "")
    lines = value.splitlines() if isinstance(value, str) else value
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ReconError(f"{name}: {quoted(value)}; expected names of files, one a line")
    return [line.strip() for line in lines if line.strip()]


def _number_text(table: Table, name: str) -> str:
    """A number as text; `pytest.toml` may have it as a number, as pytest allows there."""
    value = table.get(name, "")
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else _text(table, name)


def _flag(table: Table, name: str) -> bool:
    """A setting that is on or off, in the words that pytest takes."""
    value = table.get(name, False)
    word = str(value).lower() if isinstance(value, bool | str) else ""
    if word not in _ON | _OFF:
        raise ReconError(f"{name}: {quoted(value)}; expected true or false")
    return word in _ON


def _located(directory: Path) -> tuple[Path, Table | None]:
    """The directory of the project, and pytest's table where it has one."""
    upward = (directory, *directory.parents)
    for base in upward:
        for name, read in _READERS.items():
            # As everywhere on the way up, a directory that may not be read has no file.
            table = read(base / name) if os.path.isfile(base / name) else None  # noqa: PTH113
            if table is not None:
                return base, table
    for mark in (PYPROJECT, "setup.py"):
        for base in upward:
            if os.path.isfile(base / mark):  # noqa: PTH113
                return base, None
    return directory, None


def _pytest_toml(path: Path) -> Table:
    return _table(_toml(path), "pytest", path) or {}


def _pyproject_toml(path: Path) -> Table | None:
    tool = _table(_toml(path), "tool", path) or {}
    native = dict(_table(tool, "pytest", path) or {})
    old = _table(native, "ini_options", path)
    native.pop("ini_options", None)
    if native and old:
        raise ReconError(
            f"{printable(path.name)}: has both [tool.pytest] and [tool.pytest.ini_options]; "
            "expected one of them"
        )
    return native or old


def _table(table: Table, name: str, path: Path) -> Table | None:
    value: Table | None = table.get(name)
    if value is not None and not isinstance(value, dict):
        raise ReconError(f"{printable(path.name)}: {name}: expected a table")
    return value


def _pytest_ini(path: Path) -> Table:
    return _ini(path, "pytest") or {}


def _tox_ini(path: Path) -> Table | None:
    return _ini(path, "pytest")


def _setup_cfg(path: Path) -> Table | None:
    return _ini(path, "tool:pytest")


def _toml(path: Path) -> Table:
    from recon_core.values.toml_text import parse_toml  # noqa: PLC0415  # only where there is such a file

    content: Table = _read(path, lambda: parse_toml(path.read_bytes()))
    return content


def _ini(path: Path, section: str) -> Table | None:
    from iniconfig import IniConfig  # noqa: PLC0415  # only where there is such a file

    sections: Mapping[str, Table] = _read(path, lambda: IniConfig(str(path)).sections)
    return sections.get(section)


def _read(path: Path, read: Callable[[], Any]) -> Any:
    name = printable(path.name)
    try:
        refuse_above(TOML_BYTES, path.stat().st_size)
        return read()
    except OSError as error:
        raise ReconError(f"{name}: cannot be read: {error.strerror}") from None
    except LimitError as error:
        raise ReconError(f"{name}: {error}") from None
    except Exception as error:  # noqa: BLE001  # each library has errors of its own
        reason = printable(without_paths(" ".join(str(error).split())))
        raise ReconError(f"{name}: cannot be understood: {reason}") from None


_READERS: Final[Mapping[str, Callable[[Path], Table | None]]] = {
    "pytest.toml": _pytest_toml,
    ".pytest.toml": _pytest_toml,
    "pytest.ini": _pytest_ini,
    ".pytest.ini": _pytest_ini,
    PYPROJECT: _pyproject_toml,
    "tox.ini": _tox_ini,
    "setup.cfg": _setup_cfg,
}
"""pytest's configuration files in its order; the first with settings for it is the one."""
