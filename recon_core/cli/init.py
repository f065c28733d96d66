"""`recon init`: a policy, a first session and the workflow of the forge, in a new project."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

import click

from recon_core.cli.app import CONTEXT
from recon_core.policy.file_names import POLICY_FILE
from recon_core.values.errors import ReconError
from recon_core.values.files import refusing, write_atomically
from recon_core.values.printable import printable

SESSIONS: Final = "tests/sessions"
WORKFLOWS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "github": ("github.yml", ".github/workflows/recon.yml"),
        "gitlab": ("gitlab.yml", ".gitlab/recon.yml"),
        "jenkins": ("jenkins.groovy", "Jenkinsfile.recon"),
    }
)
"""By forge the template of its workflow, and the place where it is written."""

_MARKS: Final = ((".github", "github"), (".gitlab-ci.yml", "gitlab"), ("Jenkinsfile", "jenkins"))
"""Files of a project that uses a forge."""
_LONGEST_CONFIG: Final = 1 << 20
"""Bytes of a git configuration that are looked at; real ones have some KiB."""

EPILOG: Final = f"""\b
Examples:
  recon init
  recon init --forge gitlab
  recon check {SESSIONS}

\b
Exit codes:
  0   written
  1   not written: one of the files is there already, or cannot be written
  64  wrong usage
"""


@click.command(
    context_settings=CONTEXT, epilog=EPILOG, short_help="Begin: policy, first session, workflow."
)
@click.argument("directory", default=".", metavar="[DIRECTORY]")
@click.option(
    "--forge",
    type=click.Choice(["auto", *WORKFLOWS, "none"]),
    default="auto",
    show_default=True,
    help="Whose workflow to write; auto looks at the project.",
)
def init(directory: str, forge: str) -> None:
    """Write recon.toml, a first session and a workflow; a file that exists is never replaced.

    All places are looked at before anything is written. The policy holds the defaults, the
    session is clear.
    """
    root = Path(directory)
    if not root.is_dir():
        raise click.UsageError(f"{printable(root)}: is no directory; expected one that exists")
    found = forge_of(root) if forge == "auto" else forge
    files = _files(found)
    there = [name for name in files if (root / name).exists() or (root / name).is_symlink()]
    if there:
        raise ReconError(f"{', '.join(there)}: there already; nothing is written")
    for name, text in files.items():
        path = root / name
        with refusing(name):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        click.echo(f"{name} written")
    if found == "none":
        click.echo("no forge found; --forge github, gitlab or jenkins writes a workflow")
    click.echo(f"next: recon check {SESSIONS}")


def _files(forge: str) -> dict[str, str]:
    """The files by their place in the project."""
    session = f"{SESSIONS}/example.recon.json"
    found = {POLICY_FILE: _template(POLICY_FILE), session: _template("example.recon.json")}
    if forge in WORKFLOWS:
        template, place = WORKFLOWS[forge]
        found[place] = _template(template)
    return found


def _template(name: str) -> str:
    return (resources.files("recon_core.cli.project") / name).read_text(encoding="utf-8")


def forge_of(root: Path) -> str:
    """The forge of a project, by its files and then by its remotes; `none` where none shows."""
    for name, forge in _MARKS:
        if (root / name).exists():
            return forge
    try:
        with (root / ".git" / "config").open("rb") as file:
            text = file.read(_LONGEST_CONFIG)
    except OSError:
        return "none"
    return next((forge for forge in ("github", "gitlab") if forge.encode() in text), "none")
