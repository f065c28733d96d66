"""Near words for an error message: what was probably meant."""

import difflib
from collections.abc import Collection

from recon_core.values.printable import printable


def did_you_mean(word: str, known: Collection[str], most: int = 20) -> str:
    """Return `did you mean X?`, or `expected one of ...` where no known word is near."""
    near = difflib.get_close_matches(word[:100], known, n=1)
    if near:
        return f"did you mean {printable(near[0], 60)}?"
    shown = ", ".join(printable(name, 60) for name in list(known)[:most])
    return f"expected one of {shown}"
