"""The blocks of a document, and a reader who types them in, from top to bottom.

The word after the language says what a block is for: `skip: REASON` leaves it out,
`file: PATH` writes it where the reader stands, `part: SIDE` is one side of a session.
"""

import os
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.warm import warm_commands

_FENCE = re.compile(r"^```(\w+)?(?: +(\w+): *([^\n]+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = "$ "
_MARK = "-- end of one output --"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of a document."""

    language: str
    purpose: str
    argument: str
    text: str
    line: int


def blocks_of(document: Path) -> list[Block]:
    """All fenced blocks, in order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            language=match[1] or "",
            purpose=match[2] or "",
            argument=(match[3] or "").strip(),
            text=match[4],
            line=text[: match.start()].count("\n") + 1,
        )
        for match in _FENCE.finditer(text)
    ]


def commands_of(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that the document shows."""
    commands: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith(_PROMPT):
            commands.append((line.removeprefix(_PROMPT), []))
        else:
            commands[-1][1].append(line)
    return [(command, "\n".join(shown)) for command, shown in commands]


def matches(shown: str, output: str) -> bool:
    """Whether a document shows the output; `...` stands for anything, also many lines.

    Blank lines and trailing spaces count for nothing.
    """
    first, *parts = _dense(shown).split("...")
    rest = _dense(output)
    if not parts:
        return rest == first
    if not rest.startswith(first):
        return False
    rest = rest.removeprefix(first)
    # The first place of each part is the best one: a regular expression tries all of them.
    for part in parts[:-1]:
        at = rest.find(part)
        if at < 0:
            return False
        rest = rest[at + len(part) :]
    return rest.endswith(parts[-1])


def _dense(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines() if line.strip())


class Reader:
    """Stands in a directory, types commands and saves files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._home = directory
        self._installed = directory / ".installed"

    def save(self, path: str, text: str) -> Path:
        """Write a block as the file that the document calls it."""
        target = self.directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    def pretend_to_install(self, project: str) -> None:
        """Make a package importable with its entry points, as `pip install` would."""
        source = self.directory / project
        table = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        metadata = (
            self._installed / f"{table['name'].replace('-', '_')}-{table['version']}.dist-info"
        )
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text(f"Name: {table['name']}\nVersion: {table['version']}\n")
        lines = [
            f"[{group}]\n" + "\n".join(f"{name} = {module}" for name, module in entries.items())
            for group, entries in table["entry-points"].items()
        ]
        (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for module in source.glob("*.py"):
            (self._installed / module.name).write_bytes(module.read_bytes())

    def type(self, commands: list[str]) -> list[str]:
        """Type the commands into one shell; returns the output of each."""
        script = ["exec 2>&1"]
        for command in commands:
            # The status stays visible to a following `echo $?`.
            script += [command, f"status=$?; echo; echo '{_MARK}'; (exit $status)"]
        script.append('pwd > "$HOME/.stands"')
        shell = subprocess.run(
            ["sh", "-c", "\n".join(script)],
            cwd=self.directory,
            env=environment(HOME=str(self._home), PYTHONPATH=str(self._installed)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        self.directory = Path((self._home / ".stands").read_text().strip())
        return shell.stdout.split(f"{_MARK}\n")[:-1]


def environment(**more: str) -> dict[str, str]:
    """The environment of a user: this Python's commands first, nothing of this test run.

    Shuffled items and a cache would make the output differ from the documents; hypothesis would
    be imported only to say nothing.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "RECON_", "COV_")) and name not in ("CI", "BUILD_NUMBER")
    }
    scripts = [str(warm_commands()), str(Path(sys.executable).parent)]
    return {
        **kept,
        "PATH": os.pathsep.join([*scripts, kept.get("PATH", os.defpath)]),
        "PYTEST_ADDOPTS": "-p no:randomly -p no:cacheprovider -p no:hypothesispytest",
        "COLUMNS": "80",
        "NO_COLOR": "1",
        **more,
    }
