"""The `recon` command: the gate without pytest, and answers from the audit trail.

Importing it loads click, and no module of a sub-command.
"""

from recon_core.cli.app import main, show_recon_audit

__all__ = ["main", "show_recon_audit"]
