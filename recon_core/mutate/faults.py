"""The registry of faults: every kind of cause that an explanation can name has one at least."""

from typing import Final

from recon_core.mutate import book_faults, fee_faults, fill_faults, statement_faults
from recon_core.mutate.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *fill_faults.FAULTS,
    *fee_faults.FAULTS,
    *book_faults.FAULTS,
    *statement_faults.FAULTS,
)
"""All faults, in the order of the table. A new fault is one row of one of these files."""
