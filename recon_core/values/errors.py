"""Errors and warnings of the project: one base each.

Messages are lower case, one line, and name the file, the field, the value and what would be
accepted; text from outside is first made safe by `recon_core.values.printable.printable`.
"""

from typing import Final

OUTPUT_LOST: Final = "output cannot be written: {}"
"""The line of a run whose answer a stream did not take."""


class ReconError(Exception):
    """Something cannot be judged, or was asked for in a wrong way."""


class AmountError(ReconError, ValueError):
    """A text or number is no exact amount (`session-format`, "Amounts")."""


class SessionError(ReconError):
    """A recorded session cannot be read; the gate turns it into one CRITICAL item."""


class ReplayError(SessionError):
    """A ledger cannot book a fill or a movement, and does not guess."""


class PolicyError(ReconError):
    """A policy or a file of waivers is not usable."""


class AuditError(ReconError):
    """An audit log is missing, damaged, locked or cannot be written."""


class ReconWarning(UserWarning):
    """Base of every warning of this project."""
