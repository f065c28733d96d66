"""`--recon-session PATH`, written with a space, read like `--recon-session=PATH`.

pytest looks for its rootdir before a plugin's options are known, and takes the
value after the space for a test path. The rootdir then moves, and with it the
project's configuration and policy. Where that happened, the run is started anew
with the value behind an equals sign.
"""

import inspect
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from pytest_recon.options import PATH_OPTIONS
from pytest_recon.outputs import environment_words

RESTARTED = pytest.StashKey[bool]()


class SpaceForm:
    """Restarts a run whose rootdir was moved by an option's value."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int | None:
        """Run again with joined arguments; `None` where there is nothing to mend."""
        if hasattr(config, "workerinput") or not _uses_space_form(config) or not _moved(config):
            return None
        if any(argument in PATH_OPTIONS for argument in environment_words()):
            raise pytest.UsageError("PYTEST_ADDOPTS: write recon options as --option=VALUE")
        config.stash[RESTARTED] = True
        arguments = join_values(map(str, config.invocation_params.args))
        return int(pytest.main(arguments, config.invocation_params.plugins))


def join_values(arguments: Iterable[str]) -> list[str]:
    """Put the values of this plugin's path options behind an equals sign."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in PATH_OPTIONS:
            joined[-1] = f"{joined[-1]}={argument}"
        else:
            joined.append(argument)
    return joined


def _uses_space_form(config: pytest.Config) -> bool:
    arguments = [str(argument) for argument in config.invocation_params.args]
    return any(argument in PATH_OPTIONS for argument in arguments + environment_words())


def _moved(config: pytest.Config) -> bool:
    """True if the rootdir is another one than the positional arguments alone give."""
    if config.getoption("rootdir"):
        return False
    try:
        return _rootdir(config) != config.rootpath
    except Exception:  # noqa: BLE001  # a pytest that computes it otherwise: mend to be sure
        return True


def _rootdir(config: pytest.Config) -> Path:
    # pytest offers no public way to ask; the signature grew an argument over time.
    from _pytest.config.findpaths import determine_setup  # noqa: PLC0415

    given: dict[str, Any] = {
        "inifile": config.option.inifilename,
        "args": config.option.file_or_dir,
        "rootdir_cmd_arg": None,
        "invocation_dir": config.invocation_params.dir,
        "override_ini": None,
    }
    accepted = inspect.signature(determine_setup).parameters
    return determine_setup(**{name: given[name] for name in accepted})[0]
