"""The project's settings: where pytest finds them, and what they come to."""

from pathlib import Path

import pytest

from recon_core.policy.model import Policy
from recon_core.policy.settings import (
    ProjectSettings,
    effective_policy,
    find_settings,
    policy_source,
)
from recon_core.values.errors import PolicyError, ReconError
from recon_core.values.limits import limits_in_force

SINCE_9 = pytest.version_tuple >= (9,)


def lay_out(directory: Path, files: dict[str, str]) -> Path:
    """Write files, and return the directory `a/b` in which the command runs."""
    below = directory / "a" / "b"
    below.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    return below


# Files of a project, the directory that is its root, and recon_policy there.
PROJECTS = [
    ({}, "a/b", ""),
    ({"pytest.ini": ""}, ".", ""),
    ({"pytest.ini": "[pytest]\nrecon_policy = p.toml"}, ".", "p.toml"),
    ({"a/pytest.ini": "[pytest]\nrecon_policy = p.toml"}, "a", "p.toml"),
    ({".pytest.ini": "[pytest]\nrecon_policy = p.toml"}, ".", "p.toml"),
    ({"tox.ini": "[pytest]\nrecon_policy = p.toml"}, ".", "p.toml"),
    ({"setup.cfg": "[tool:pytest]\nrecon_policy = p.toml"}, ".", "p.toml"),
    ({"pyproject.toml": "[tool.pytest.ini_options]\nrecon_policy = 'p.toml'"}, ".", "p.toml"),
    ({"pyproject.toml": "[tool.pytest.ini_options]"}, ".", ""),
    ({"pyproject.toml": "[tool.other]\nx = 1"}, ".", ""),
    ({"a/pyproject.toml": "", "tox.ini": "[pytest]\nrecon_policy = p.toml"}, ".", "p.toml"),
    ({"a/pyproject.toml": "", "pyproject.toml": ""}, "a", ""),
    ({"a/pyproject.toml": "", "a/b/setup.py": ""}, "a", ""),
    ({"setup.py": ""}, ".", ""),
    ({"a/setup.py": "", "setup.py": ""}, "a", ""),
    ({"a/tox.ini": "[tox]", "setup.cfg": "[metadata]"}, "a/b", ""),
    ({"a/tox.ini": "[tox]", "setup.cfg": "[tool:pytest]\nrecon_policy = p"}, ".", "p"),
    (
        {
            "pytest.ini": "[pytest]\nrecon_policy = ini",
            "pyproject.toml": "[tool.pytest.ini_options]\nrecon_policy = 'project'",
            "tox.ini": "[pytest]\nrecon_policy = tox",
        },
        ".",
        "ini",
    ),
    (
        {
            "tox.ini": "[pytest]\nrecon_policy = tox",
            "setup.cfg": "[tool:pytest]\nrecon_policy = cfg",
        },
        ".",
        "tox",
    ),
    ({"pytest.ini": "[pytest]\n# why\nrecon_policy = sub/p.toml"}, ".", "sub/p.toml"),
    ({"pytest.ini": "[pytest]\nrecon_policy ="}, ".", ""),
]
NATIVE_PROJECTS = [
    ({"pytest.toml": "[pytest]\nrecon_policy = 'p.toml'"}, ".", "p.toml"),
    ({".pytest.toml": "[pytest]\nrecon_policy = 'p.toml'"}, ".", "p.toml"),
    ({"pytest.toml": "", "pytest.ini": "[pytest]\nrecon_policy = p"}, ".", ""),
    ({"pyproject.toml": "[tool.pytest]\nrecon_policy = 'p.toml'"}, ".", "p.toml"),
]


@pytest.mark.parametrize(("files", "root", "policy"), [*PROJECTS, *NATIVE_PROJECTS], ids=str)
def test_the_settings_are_those_of_the_nearest_project(
    tmp_path: Path, files: dict[str, str], root: str, policy: str
) -> None:
    """Upward from the directory, file by file in pytest's order; paths are absolute."""
    below = lay_out(tmp_path, files)
    place = tmp_path / root
    found = find_settings(below)
    assert found == ProjectSettings(place, policy=place / policy if policy else None)


@pytest.mark.parametrize(
    ("files", "root", "policy"), [*PROJECTS, *(NATIVE_PROJECTS if SINCE_9 else [])], ids=str
)
def test_pytest_finds_the_same(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    root: str,
    policy: str,
) -> None:
    """The table above is what pytest itself says when started there without arguments."""
    monkeypatch.chdir(lay_out(pytester.path, files))
    config = pytester.parseconfig()
    assert config.rootpath == (pytester.path / root).resolve()
    assert config.getini("recon_policy") == policy


def test_every_setting_of_the_command(tmp_path: Path) -> None:
    """Others of the same file are pytest's business."""
    text = "[pytest]\nrecon_policy = p\nrecon_audit_log = trail/a.jsonl\nrecon_fail_on = warn\n"
    (tmp_path / "pytest.ini").write_text(text + "testpaths = tests\n", encoding="utf-8")
    assert find_settings(tmp_path) == ProjectSettings(
        tmp_path, audit_log=tmp_path / "trail" / "a.jsonl", policy=tmp_path / "p", fail_on="warn"
    )


@pytest.mark.parametrize(
    ("option", "setting", "expected"),
    [
        (None, None, "fail"),
        (None, "warn", "warn"),
        ("fail", "warn", "fail"),
        ("warn", None, "warn"),
        ("warn", "info", "warn"),
    ],
)
def test_what_fails(tmp_path: Path, option: str | None, setting: str | None, expected: str) -> None:
    """Option, setting, `fail`."""
    assert ProjectSettings(tmp_path, fail_on=setting).lowest_failing(option) == expected


def test_another_word_for_what_fails_is_refused(tmp_path: Path) -> None:
    """Where it would count."""
    with pytest.raises(ReconError, match="recon_fail_on: 'info'; expected fail or warn"):
        ProjectSettings(tmp_path, fail_on="info").lowest_failing()


def test_an_absolute_path_stays_one(tmp_path: Path) -> None:
    """Wherever the file stands."""
    log = tmp_path.parent / "a.jsonl"
    (tmp_path / "pytest.ini").write_text(f"[pytest]\nrecon_audit_log = {log}", encoding="utf-8")
    assert find_settings(tmp_path).audit_log == log


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("pytest.ini", b"[pytest", "pytest.ini: cannot be understood"),
        ("pytest.ini", b"[pytest]\nx = \xff", "pytest.ini: cannot be understood"),
        ("tox.ini", b"[pytest]\na = 1\na = 2", "tox.ini: cannot be understood"),
        ("pyproject.toml", b"[tool", "pyproject.toml: cannot be understood"),
        ("pyproject.toml", b"tool = 1", "pyproject.toml: tool: expected a table"),
        ("pyproject.toml", b"[tool]\npytest = []", "pyproject.toml: pytest: expected a table"),
        (
            "pyproject.toml",
            b"[tool.pytest]\nx = 1\n[tool.pytest.ini_options]\ny = 1",
            "has both",
        ),
        ("pytest.toml", b"[pytest]\nrecon_policy = ['p']", "recon_policy: .* expected text"),
        ("pytest.toml", b"[pytest]\nrecon_audit_log = 1", "recon_audit_log: '1'; expected text"),
        ("pytest.toml", b"[pytest]\nrecon_waivers = 1", "recon_waivers: '1'; expected names of"),
        ("pytest.toml", b"[pytest]\nrecon_waivers = [1]", "recon_waivers: .*expected names of"),
    ],
)
def test_settings_of_no_use_are_refused(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """In one line that names the file or the setting."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ReconError, match=message) as caught:
        find_settings(tmp_path)
    assert str(caught.value).isprintable()


def test_a_file_of_settings_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """By its name, and before any session is judged by other settings."""
    (tmp_path / "pytest.ini").write_text("[pytest]\n# much\n", encoding="utf-8")
    with limits_in_force({"toml_bytes": 10}), pytest.raises(ReconError) as caught:
        find_settings(tmp_path)
    assert str(caught.value).startswith("pytest.ini: has 16 bytes; expected at most 10")


@pytest.mark.parametrize(
    ("option", "setting", "files", "expected"),
    [
        ("o.toml", "s.toml", ["recon.toml", "pyproject.toml"], "o.toml"),
        (None, "s.toml", ["recon.toml", "pyproject.toml"], "s.toml"),
        (None, None, ["recon.toml", "pyproject.toml"], "recon.toml"),
        (None, None, ["pyproject.toml"], "pyproject.toml"),
        (None, None, [], None),
    ],
)
def test_which_policy_holds(
    tmp_path: Path,
    option: str | None,
    setting: str | None,
    files: list[str],
    expected: str | None,
) -> None:
    """The precedence (design, "Names to keep"); a named file need not exist."""
    for name in files:
        (tmp_path / name).touch()
    named = [None if name is None else tmp_path / name for name in (option, setting, expected)]
    assert policy_source(named[0], named[1], tmp_path) == named[2]
    settings = ProjectSettings(tmp_path, policy=named[1])
    assert settings.policy_source(named[0]) == named[2]


def test_a_dangling_policy_is_not_passed_over(tmp_path: Path) -> None:
    """A link to nothing is a mistake, not a reason for the built-in policy."""
    (tmp_path / "recon.toml").symlink_to("gone")
    source = policy_source(None, None, tmp_path)
    assert source == tmp_path / "recon.toml"
    with pytest.raises(PolicyError, match=r"recon\.toml: cannot be read"):
        effective_policy(source)


@pytest.mark.parametrize(
    ("name", "text", "shown", "skew"),
    [
        (None, "", "built-in", 60),
        ("p.toml", "max_skew = 'PT5S'", "p.toml", 5),
        ("pyproject.toml", "[tool.recon]\nmax_skew = 'PT5S'", "pyproject.toml", 5),
        ("pyproject.toml", "[tool.other]", "built-in", 60),
    ],
)
def test_the_policy_and_its_name(
    tmp_path: Path, name: str | None, text: str, shown: str, skew: int
) -> None:
    """A `pyproject.toml` without `[tool.recon]` says nothing about it."""
    path = None if name is None else tmp_path / name
    if path is not None:
        path.write_text(text, encoding="utf-8")
    policy, called = effective_policy(path)
    assert isinstance(policy, Policy)
    assert (policy.max_skew.total_seconds(), called) == (skew, shown)


@pytest.mark.parametrize(
    ("option", "name", "text", "expected"),
    [
        (None, "pytest.ini", "[pytest]", 20_000),
        (None, "pytest.ini", "[pytest]\nrecon_max_items = 7", 7),
        (5, "pytest.ini", "[pytest]\nrecon_max_items = 7", 5),
        (0, "pytest.ini", "[pytest]\nrecon_max_items = 7", 0),
        (None, "pyproject.toml", "[tool.pytest.ini_options]\nrecon_max_items = 7", 7),
        (None, "pyproject.toml", "[tool.pytest.ini_options]\nrecon_max_items = '0'", 0),
    ],
)
def test_how_many_items_there_may_be(
    tmp_path: Path, option: int | None, name: str, text: str, expected: int
) -> None:
    """Option, setting, 20,000; 0 is a number."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert find_settings(tmp_path).most_items(option) == expected


@pytest.mark.parametrize("value", ["-1", "many", "1.5", "1e3", "'٣'", "9999999999999", "true"])
def test_a_number_of_items_that_is_none(tmp_path: Path, value: str) -> None:
    """Never a traceback, and never a silent default."""
    text = (
        f"[tool.pytest.ini_options]\nrecon_max_items = {value if value != 'many' else repr(value)}"
    )
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ReconError, match="recon_max_items: ") as caught:
        find_settings(tmp_path).most_items()
    assert "expected" in str(caught.value)
