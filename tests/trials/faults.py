"""The injectors of every kind of cause, and what is another name of one fault."""

from collections.abc import Mapping

from recon_core.model.explanation import CauseKind
from tests.trials import (
    book_faults,
    fee_faults,
    fill_faults,
    row_faults,
    state_faults,
    time_faults,
)
from tests.trials.fault import Injector

INJECTORS: Mapping[CauseKind, tuple[Injector, ...]] = {
    CauseKind.MISSING_FILL: (fill_faults.missing_fill,),
    CauseKind.ORPHAN_FILL: (fill_faults.orphan_fill,),
    CauseKind.DUPLICATE_FILL: (fill_faults.duplicate_fill,),
    CauseKind.SIDE_FLIPPED: (fill_faults.side_flipped,),
    CauseKind.WRONG_QUANTITY: (fill_faults.wrong_quantity,),
    CauseKind.WRONG_PRICE: (fill_faults.wrong_price,),
    CauseKind.CUMULATIVE_QUANTITY: (fill_faults.cumulative_quantity,),
    CauseKind.MISSING_FEE: (fee_faults.missing_fee,),
    CauseKind.DUPLICATE_FEE: (fee_faults.duplicate_fee,),
    CauseKind.FEE_SIGN: (fee_faults.fee_sign,),
    CauseKind.FEE_CURRENCY: (fee_faults.fee_currency,),
    CauseKind.FEE_RATE: (fee_faults.fee_rate,),
    CauseKind.WRONG_FEE: (fee_faults.wrong_fee,),
    CauseKind.MISSING_MOVEMENT: (book_faults.missing_movement,),
    CauseKind.DUPLICATE_MOVEMENT: (book_faults.duplicate_movement,),
    CauseKind.WRONG_MOVEMENT: (book_faults.wrong_movement,),
    CauseKind.CONVERSION: (state_faults.conversion,),
    CauseKind.OPENING_BALANCE: (book_faults.opening_balance,),
    CauseKind.STALE_SIDE: (time_faults.stale_side,),
    CauseKind.ROUNDING: (row_faults.rounded_rows, state_faults.rounding, state_faults.in_lots),
    CauseKind.UNIT: (row_faults.scaled_rows, state_faults.unit),
    CauseKind.SIGN_CONVENTION: (state_faults.sign_convention,),
    CauseKind.SPLIT: (book_faults.split,),
    CauseKind.ALIAS: (state_faults.alias, row_faults.renamed_rows),
    CauseKind.BALANCE_KIND: (state_faults.balance_kind,),
    CauseKind.NETTED_LEGS: (state_faults.netted_legs, row_faults.netted_rows),
    CauseKind.FOREIGN_ACTIVITY: (row_faults.foreign_activity,),
    CauseKind.MULTIPLIER: (state_faults.multiplier,),
    CauseKind.CLIPPED_BALANCE: (state_faults.clipped_balance,),
    CauseKind.AS_OF_SHIFT: (time_faults.as_of_shift, time_faults.shifted_rows),
}

EQUIVALENT: Mapping[tuple[CauseKind, CauseKind], str] = {
    (CauseKind.DUPLICATE_FILL, CauseKind.ORPHAN_FILL): (
        "a fill that stands again under another id is one that the exchange does not know"
    ),
    (CauseKind.MISSING_FILL, CauseKind.STALE_SIDE): (
        "the last fill of a session is missing, or was not yet seen"
    ),
    (CauseKind.STALE_SIDE, CauseKind.MISSING_FILL): (
        "where one row was not yet seen, that row is missing"
    ),
    (CauseKind.AS_OF_SHIFT, CauseKind.MISSING_FILL): (
        "where one row was not yet seen, that row is missing"
    ),
    (CauseKind.AS_OF_SHIFT, CauseKind.STALE_SIDE): (
        "a state of one hour ago is a stale one, whose rows of the last hour are unseen"
    ),
    (CauseKind.MISSING_FEE, CauseKind.FEE_RATE): "no fee at all is the rate 0 for all fills",
    (CauseKind.WRONG_QUANTITY, CauseKind.UNIT): "ten times a quantity is one in another unit",
    (CauseKind.WRONG_PRICE, CauseKind.UNIT): "ten times a price is one in another unit",
    (CauseKind.UNIT, CauseKind.WRONG_QUANTITY): "the only fill of a symbol in another unit",
    (CauseKind.CUMULATIVE_QUANTITY, CauseKind.WRONG_QUANTITY): (
        "of an order with two fills the second alone has another quantity"
    ),
    (CauseKind.SPLIT, CauseKind.MISSING_MOVEMENT): "a split is a movement",
    (CauseKind.FOREIGN_ACTIVITY, CauseKind.ORPHAN_FILL): (
        "a single foreign fill is a fill that the exchange does not know"
    ),
}
"""Fault and answer that say the same with the same side, effect and rows, and why.

A fault names those that hold for it in `Fault.also`.
"""
