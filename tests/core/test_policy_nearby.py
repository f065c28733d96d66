"""Policy files near a run that it does not use."""

from pathlib import Path

import pytest

from recon_core.policy.nearby import unused_policies
from recon_core.policy.settings import PolicyInForce

OURS = "[tool.recon]\nmax_skew = 'PT5S'\n"


@pytest.mark.parametrize(
    ("files", "used", "starts", "unused"),
    [
        ({}, None, ["."], []),
        ({"recon.toml": ""}, None, ["."], ["recon.toml"]),
        ({"recon.toml": ""}, "recon.toml", ["."], []),
        ({"recon.toml": ""}, None, ["a/b"], ["recon.toml"]),
        ({"a/recon.toml": "", "recon.toml": ""}, "recon.toml", ["a/b"], ["a/recon.toml"]),
        ({"a/recon.toml": ""}, None, ["."], []),
        ({"a/recon.toml": ""}, None, [".", "b", "a"], ["a/recon.toml"]),
        ({"a/recon.toml": ""}, None, ["a/b", "a/c", "a"], ["a/recon.toml"]),
        ({"pyproject.toml": OURS}, None, ["a"], ["pyproject.toml"]),
        ({"pyproject.toml": OURS, "recon.toml": ""}, "recon.toml", ["."], ["pyproject.toml"]),
        ({"pyproject.toml": "[tool]\nrecon = {}\n"}, None, ["."], ["pyproject.toml"]),
        ({"pyproject.toml": "[tool.recon]\nnonsense = 1\n"}, None, ["."], ["pyproject.toml"]),
        ({"pyproject.toml": "[project]\nname = 'pytest-recon'\n"}, None, ["."], []),
        ({"pyproject.toml": "[tool.reconcile]\n"}, None, ["."], []),
        ({"pyproject.toml": "# no TOML, no policy"}, None, ["."], []),
        ({"other.toml": "", "a/recon.toml/x": ""}, "other.toml", ["a"], ["a/recon.toml"]),
    ],
    ids=str,
)
def test_upward_from_each_directory(
    tmp_path: Path, files: dict[str, str], used: str | None, starts: list[str], unused: list[str]
) -> None:
    """`recon.toml`, or `pyproject.toml` with `[tool.recon]`, each once."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    path = None if used is None else tmp_path / used
    found = unused_policies(path, [tmp_path / start for start in starts])
    assert [one.relative_to(tmp_path).as_posix() for one in found] == unused


def test_each_directory_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many sessions lie below it."""
    looked: list[Path] = []

    def policies(place: Path) -> tuple[()]:
        looked.append(place)
        return ()

    monkeypatch.setattr("recon_core.policy.nearby._policies", policies)
    starts = [tmp_path / str(number % 5) / "day" / ".." for number in range(100)]
    assert unused_policies(None, starts) == []
    assert len(looked) == len(set(looked)) == 5 + len(tmp_path.parents) + 1


def test_a_link_to_the_policy_in_force_is_used(tmp_path: Path) -> None:
    """One file by two names is one policy."""
    (tmp_path / "desk.toml").write_text("", encoding="utf-8")
    (tmp_path / "recon.toml").symlink_to("desk.toml")
    assert unused_policies(tmp_path / "desk.toml", [tmp_path]) == []


def test_the_lines_are_capped_and_safe(tmp_path: Path) -> None:
    """Five names, and how many more; relative to where the run was started."""
    places = [tmp_path / f"{number}\x1b" for number in range(7)]
    for place in places:
        place.mkdir()
        (place / "recon.toml").write_text("", encoding="utf-8")
    here = tmp_path / "here"
    shown = PolicyInForce(None, here, here, [place / "a.recon.json" for place in places])
    policy, note = shown.lines()
    assert policy == "policy built-in"
    assert note.startswith("policy not used: ../0\\x1b/recon.toml, ../1\\x1b/recon.toml, ")
    assert note.endswith("../4\\x1b/recon.toml and 2 more")
