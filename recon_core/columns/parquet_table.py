"""A Parquet file as SQL selects from it.

Its name in SQL is its own, so that two tables can be in one query, and one file twice.
"""

import glob
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from recon_core.columns.database import text

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class ParquetTable:
    """The file at `path`."""

    path: Path
    name: str = field(default_factory=lambda: f"table{next(_numbers)}")

    @property
    def source(self) -> str:
        """The table, for `FROM`."""
        file = text(glob.escape(str(self.path)))
        options = "hive_partitioning = false, file_row_number = true"
        return f"read_parquet({file}, {options}) AS {self.name}"

    @property
    def number(self) -> str:
        """The number of a row, from 0."""
        return f"{self.name}.file_row_number"

    def column(self, name: str) -> str:
        """A column by the name that the file gives it."""
        return f"{self.name}." + '"' + name.replace('"', '""') + '"'
