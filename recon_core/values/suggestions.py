"""Near words for an error message: what was probably meant."""

import difflib
from collections.abc import Collection
from itertools import islice

from recon_core.values.printable import printable


def nearest(word: str, known: Collection[str]) -> str | None:
    """Return the known word that is nearest, `None` where none is near; case does not count."""
    words = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word[:100].casefold(), words, n=1)
    return words[near[0]] if near else None


def suggestion(word: str, known: Collection[str]) -> str:
    """Return `; did you mean X?`, empty where no known word is near."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {printable(near, 60)}?"


def did_you_mean(word: str, known: Collection[str], most: int = 20) -> str:
    """Return `did you mean X?`, or `expected one of ...` where no known word is near."""
    shown = ", ".join(printable(name, 60) for name in islice(known, most))
    return suggestion(word, known).removeprefix("; ") or f"expected one of {shown}"
