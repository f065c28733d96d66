"""The two sides of a session in the words of its people: ledger and exchange, or their sources.

The engine says `internal` and `external`. Reports for people say `ledger` and `exchange`, or what
a session gives as the `source` of a side.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recon_core.model import LedgerSide, RecordedSession
from recon_core.values.printable import printable

_LONGEST: Final = 24
"""Characters of a name; a longer source would fill the line that it is repeated on."""

_SHORT: Final = 24
"""Characters of both names beside which the figures of a difference fit a line of 80."""

_DETERMINERS: Final = frozenset({"a", "an", "my", "our", "that", "the", "this", "your"})
"""Words that a name begins with in place of an article."""

# Not inside of an id, a path or a key, nor as one of a policy: there the word is data.
_SIDE: Final = re.compile(
    r"(?<![\w./:@-])(the |no )?(internal|external)( side)?('s)?(?=[\s,;)]|[.:](?:\s|$)|$)(?! = )"
)


@dataclass(frozen=True, slots=True)
class SideNames:
    """The names of both sides of a session, safe to print and never equal."""

    internal: str = "ledger"
    external: str = "exchange"

    @classmethod
    def of_sources(cls, sources: Mapping[str, str]) -> "SideNames":
        """Return the sources of the sides, in place of one that is absent the usual word.

        Both usual words where the sources are equal: a reader could not distinguish them.
        """
        default = cls()
        named = cls(*(
            printable(" ".join(sources.get(side, "").split()), _LONGEST).partition("…")[0].strip()
            or getattr(default, side)
            for side in LedgerSide
        ))  # fmt: skip
        is_tellable = named.internal.casefold() != named.external.casefold()
        return named if is_tellable and not set(named._words & {*LedgerSide}) else default

    @property
    def _words(self) -> set[str]:
        return {self.internal.casefold(), self.external.casefold()}

    @property
    def short(self) -> "SideNames":
        """The names for lines of figures: the usual words where the sources are long."""
        is_short = len(self.internal) + len(self.external) <= _SHORT
        return self if is_short else SideNames()

    def of(self, side: LedgerSide) -> str:
        """Return the name of a side."""
        return self.internal if side is LedgerSide.INTERNAL else self.external

    def subject(self, side: LedgerSide) -> str:
        """Return the name of a side in a sentence: `the ledger`, `Binance`."""
        name = self.of(side)
        first, _, more = name.partition(" ")
        is_noun = name in {"ledger", "exchange"} or (bool(more) and name[0].islower())
        is_noun = is_noun and first not in _DETERMINERS
        return f"the {name}" if is_noun else name

    def said(self, sentence: str) -> str:
        """Return a sentence of the engine with the names of the sides in it."""
        return _SIDE.sub(self._named, sentence)

    def _named(self, match: re.Match[str]) -> str:
        article, word, noun, genitive = match.groups()
        side = LedgerSide(word)
        if article == "no ":
            return f"no {self.of(side)}{genitive or ''}"
        name = self.subject(side) if article or noun else self.of(side)
        return f"{name}{genitive or ''}"


def sources_of(recorded: RecordedSession) -> dict[str, str]:
    """Return what the sides of a session give as their source, as plain data."""
    records = {side: recorded.side(side) for side in LedgerSide}
    return {
        str(side): record.source for side, record in records.items() if record and record.source
    }
