"""Evidence of a verdict, so that a loosened tolerance leaves a trace (design, "Audit")."""

import hashlib
import json
import platform
import shutil
import subprocess  # git says which commit is checked out
from functools import cache
from pathlib import Path

from recon_core import __version__
from recon_core.model import RecordedSession
from recon_core.policy.model import Policy
from recon_core.policy.waivers import Waivers
from recon_core.values.limits import deciding_limits


def evidence(
    recorded: RecordedSession, policy: Policy, waivers: Waivers | None = None
) -> dict[str, object]:
    """The SHA-256 of every input and of the policy, the thresholds, versions and the commit.

    Limits on what an input may cost are there where one is changed, the SHA-256 of files of
    waivers and the day on which these held where there are any.
    """
    effective = policy.to_dict()
    limits = deciding_limits()
    canonical = json.dumps(effective, sort_keys=True).encode()
    return {
        "inputs": {file.name: file.sha256 for file in recorded.inputs},
        "policy": effective,
        "policy_sha256": hashlib.sha256(canonical).hexdigest(),
        "versions": {"pytest-recon": __version__, "python": platform.python_version()},
        "commit": commit_of(Path.cwd()),
        **({"limits": limits} if limits else {}),
        **(_waivers(waivers) if waivers else {}),
    }


def _waivers(waivers: Waivers) -> dict[str, object]:
    return {"waivers": {"day": waivers.day.isoformat(), "files": dict(waivers.files)}}


@cache
def commit_of(directory: Path) -> str | None:
    """Return the commit of a directory, `None` where it is in no repository or git fails.

    Asked once in a process: what is checked out does not change under a run.
    """
    git = shutil.which("git")
    if git is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  # no text of anybody else is in the command
            [git, "-C", directory, "rev-parse", "--verify", "--quiet", "HEAD"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode("ascii", "replace").strip() or None
