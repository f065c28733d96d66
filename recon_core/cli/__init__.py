"""The `recon` command: the gate without pytest, and answers from the audit trail.

Importing it loads click and nothing of what a sub-command needs.
"""

from recon_core.cli.app import main, show_recon_audit

__all__ = ["main", "show_recon_audit"]
