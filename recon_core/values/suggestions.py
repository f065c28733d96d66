"""Near words for an error message: what was probably meant."""

import difflib
from collections.abc import Collection
from itertools import islice

from recon_core.values.printable import printable


def suggestion(word: str, known: Collection[str]) -> str:
    """Return `; did you mean X?`, empty where no known word is near."""
    near = difflib.get_close_matches(word[:100], known, n=1)
    return f"; did you mean {printable(near[0], 60)}?" if near else ""


def did_you_mean(word: str, known: Collection[str], most: int = 20) -> str:
    """Return `did you mean X?`, or `expected one of ...` where no known word is near."""
    shown = ", ".join(printable(name, 60) for name in islice(known, most))
    return suggestion(word, known).removeprefix("; ") or f"expected one of {shown}"
