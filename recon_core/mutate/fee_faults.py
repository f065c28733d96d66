"""Faults of fees: missing, doubled, turned, in another currency, at another rate."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

from recon_core.model import Fill
from recon_core.model.explanation import CauseKind
from recon_core.mutate.changes import with_fees, with_fill
from recon_core.mutate.fault import Dice, Fault, Injection, Scale, by_size, listed
from recon_core.mutate.scene import Scene
from recon_core.values.amounts import EXACT, ZERO, round_to_places, shortest_places

_THIRD: Final = "BNB"
"""A currency that exchanges charge fees in, whatever is traded."""
_HUNDREDTH: Final = Decimal("0.01")
"""Percent of a fee rate that is one step: a basis point of it."""
_RATE_STEPS: Final = 100_000
"""Steps of a fee rate that are tried: up to ten times the rate."""

Fields = Callable[[Scene, Fill], dict[str, Any]]


def _each(fields_of: Fields) -> Callable[[Scene, Dice], Injection | None]:
    """A fault of the fee of any one fill that is charged in one currency, sized by the fee."""

    def inject(scene: Scene, dice: Dice) -> Injection | None:
        charged = [fill for fill in scene.fills if fill.fee]
        currencies = sorted({fill.fee_currency or "" for fill in charged})
        if not currencies:
            return None
        currency = dice.choice(currencies)
        fills, sizes = by_size(
            [fill for fill in charged if fill.fee_currency == currency], lambda fill: fill.fee
        )
        return Injection(
            currency,
            listed(sizes, currency, dice),
            lambda place: scene.with_rows(
                with_fill(
                    scene.book,
                    fills[place],
                    replace(fills[place], **fields_of(scene, fills[place])),
                )
            ),
        )

    return inject


def _in_another_currency(scene: Scene, fill: Fill) -> dict[str, Any]:
    """Return the number of a fee in the other currency of the pair, or in a third one."""
    instrument = scene.instrument_of(fill.symbol)
    pair = () if instrument is None else (instrument.base, instrument.quote)
    others = [one for one in (*pair, _THIRD) if one != fill.fee_currency]
    return {"fee_currency": others[0]}


def _rate(scene: Scene, dice: Dice) -> Injection | None:
    symbols = sorted({fill.symbol for fill in scene.fills if fill.fee})
    if not symbols:
        return None
    symbol = dice.choice(symbols)
    fills = [fill for fill in scene.fills if fill.symbol == symbol and fill.fee]
    places = max(shortest_places(fill.fee) for fill in fills)

    def percent(place: int) -> Decimal:
        return EXACT.multiply(_HUNDREDTH, Decimal(place + 1))

    def fees(place: int) -> dict[int, Decimal]:
        factor = EXACT.add(Decimal(1), percent(place).scaleb(-2))
        return {
            id(fill): round_to_places(EXACT.multiply(fill.fee, factor), places) for fill in fills
        }

    return Injection(
        symbol,
        Scale(_RATE_STEPS, percent, (99, 999, 9999), "%"),
        lambda place: scene.with_rows(with_fees(scene.book, fees(place))),
    )


FAULTS: Final = (
    Fault(
        CauseKind.MISSING_FEE,
        "missing fee of {}",
        _each(lambda *_: {"fee": ZERO}),
        frozenset({CauseKind.FEE_RATE, CauseKind.WRONG_FEE}),
    ),
    Fault(
        CauseKind.DUPLICATE_FEE,
        "fee of {} charged twice",
        _each(lambda _, fill: {"fee": EXACT.add(fill.fee, fill.fee)}),
        frozenset({CauseKind.FEE_RATE, CauseKind.WRONG_FEE}),
    ),
    Fault(
        CauseKind.FEE_SIGN,
        "fee of {} as a rebate",
        _each(lambda _, fill: {"fee": fill.fee.copy_negate()}),
    ),
    Fault(CauseKind.FEE_CURRENCY, "fee of {} in another currency", _each(_in_another_currency)),
    Fault(
        CauseKind.FEE_RATE,
        "all fees of a symbol too high by {}",
        _rate,
        frozenset({CauseKind.DUPLICATE_FEE}),
    ),
)
"""Every fault of fees but that of one amount, which is sized as quantity and price are."""
