"""Assets: what symbols deliver, whichever list an account shows it in."""

import re
from collections.abc import Mapping
from typing import Final

from recon_core.model.records import Instrument, InstrumentKind

_UNIFIED_SYMBOL: Final = re.compile(r"([^/:\s]+)/([^/:\s]+)")


def unified_spot(symbol: str) -> Instrument | None:
    """The spot pair that a symbol written `BASE/QUOTE` means, `None` for any other."""
    match = _UNIFIED_SYMBOL.fullmatch(symbol)
    if match is None:
        return None
    return Instrument(symbol, InstrumentKind.SPOT, match[1], match[2], match[2])


def delivering(symbol: str, instruments: Mapping[str, Instrument]) -> Instrument | None:
    """Return the instrument of a symbol if its fills move an asset, else `None`.

    A symbol that is not declared and is written `BASE/QUOTE` counts as a spot pair.
    """
    instrument = instruments.get(symbol) or unified_spot(symbol)
    delivers = instrument is not None and instrument.instrument_kind.delivers
    return instrument if delivers else None
