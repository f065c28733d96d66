"""Names of the files in which a project keeps its policy."""

from typing import Final

POLICY_FILE: Final = "recon.toml"
PYPROJECT: Final = "pyproject.toml"
