"""Answers that have a rival: each is named with it, or is not called unique.

The sessions are situations that people reported, each in figures, with what is true of it.
"""

import json
from pathlib import Path

import pytest

from recon_core.engine.reconciliation import Reconciliation, reconcile_session
from recon_core.explain import entries_of, explain
from recon_core.model.explanation import ExplanationVerdict
from recon_core.values.errors import ReconError

SESSIONS = json.loads((Path(__file__).parents[1] / "data/explain/rivals.json").read_text())
IN, OUT = "internal", "external"
Answer = tuple[str, list[str]]

RIVALS: dict[str, list[Answer]] = {
    # The exchange states and lists nothing of the last fill: a false fill, or it is behind.
    "list_ends_early": [(IN, ["orphan_fill"]), (OUT, ["as_of_shift"])],
    # A wrong price; two halved fees have its amount, and no fee is at half a rate.
    "price_or_two_fees": [(IN, ["duplicate_fee", "duplicate_fee"])],
    "flip_of_either_twin": [
        (IN, ["fee_sign", "side_flipped"]), (IN, ["fee_sign", "wrong_quantity"]),
    ],
    # 2.50 more than the rows give, of which a deposit of 1.25 is half.
    "one_row_twice": [(OUT, ["duplicate_movement", "duplicate_movement"])],
    "flip_or_split": [(OUT, ["split"]), (IN, ["side_flipped"])],
    # Two faults of fees; one fee in another currency fits with an amount at no rate.
    "fee_with_a_free_number": [(IN, ["fee_currency"])],
    # The fee that both sides state is at the rate of the ledger's price.
    "price_against_its_fee": [(IN, ["wrong_price"]), (OUT, ["wrong_price"])],
    "last_fill_unseen": [(IN, ["orphan_fill"]), (OUT, ["stale_side"])],
    # A sale for what the fees were booked: the venue took them in that asset.
    "sale_or_fees": [(IN, ["missing_fill"])],
    # Of the first two fills one is too large, one is none, or the opening counts it already.
    "orphan_or_quantity": [
        (IN, ["orphan_fill"]), (IN, ["opening_balance"]), (IN, ["wrong_quantity"]),
    ],
    # SELLs of 0.1 and 0.4 at one price: the second is of 0.2, and its fee is at half the rate.
    "flip_or_quantity": [(IN, ["side_flipped"]), (IN, ["wrong_quantity"])],
    "name_or_conversion": [(IN, ["alias"]), (IN, ["conversion"])],
    # Whole cents are eight shares at some price; a flat fee says nothing of it.
    "few_shares_at_a_flat_fee": [(IN, ["missing_fill"])],
    # 600.42 less 0.12 and 600.54 less 0.24: both rates are known.
    "two_rates_in_cents": [(IN, ["missing_fill"])] * 2,
    "price_of_an_open_position": [(IN, ["wrong_price"]), (OUT, ["wrong_price"])],
    # Every other fill has a fee, and one of them has it twice.
    "fill_without_a_fee": [(IN, ["missing_fill"])],
    # Both fills of the order are BUYs: with one turned round it would buy and sell.
    "flip_in_an_order_of_one_side": [(IN, ["side_flipped"]), (IN, ["wrong_quantity"])],
    # The ghost is one of the two faults; a fill at a fee like no other fits, too.
    "price_and_fee_from_one_amount": [
        (IN, ["orphan_fill", "wrong_quantity"]), (IN, ["missing_fill"]),
        (IN, ["wrong_quantity", "opening_balance"]),
    ],
    "prices_that_cancel": [(IN, ["wrong_quantity", "wrong_quantity"])],
    # The fee of any SELL changes by one unit where its quantity fits the position.
    "quantity_by_one_unit": [(IN, ["wrong_quantity"]), (IN, ["wrong_quantity"])],
    "orphan_beside_a_copy": [(IN, ["orphan_fill"])],
    # Two copies of a funding, or one of three with the other sign.
    "three_equal_fundings": [(IN, ["wrong_movement"])],
    "order_of_both_sides_beside_a_slip": [
        (IN, ["side_flipped", "wrong_movement"]), (IN, ["wrong_movement", "wrong_quantity"]),
    ],
    "order_of_both_sides": [
        (IN, ["duplicate_movement", "side_flipped"]),
        (IN, ["duplicate_movement", "wrong_quantity"]),
    ],
    # A SELL ten times too large beside a fee with the other sign: a BUY that is missing fits both.
    "ten_times_too_large_beside_a_fee": [(IN, ["missing_fill"])],
    # The two rows after the false one cancel: bought and sold for what their fees cost.
    "behind_or_a_false_row": [(OUT, ["stale_side"]), (IN, ["orphan_fill"])],
    "behind_or_a_copied_deposit": [(OUT, ["stale_side"]), (IN, ["duplicate_movement"])],
    # Three SELLs, of which no cash is known: the exchange may state the other sign.
    "sign_of_one_symbol": [(IN, ["sign_convention"])],
    # A fee of 2 and one of 10 among those of 1; all of one symbol turned have their sum.
    "rebates_of_one_symbol": [(IN, ["fee_sign"]), *[(IN, ["wrong_price"])] * 4],
    # A copy and a wrong dividend; of 200 pairs of one share one has their cash by coincidence.
    "two_of_thirty_equal_fills": [(IN, ["orphan_fill", "side_flipped"]), (IN, ["missing_fill"])],
    # A fee turned, the only rebate, has the sum of a doubled fee and a funding turned round.
    "a_rebate_like_no_other": [(IN, ["fee_sign"])],
    # Four shares more in one fill at a flat fee, or another fill, and the one fee of 2 is twice 1.
    "quantity_or_a_fill_beside_a_doubled_fee": [
        (IN, ["wrong_quantity"]), (IN, ["missing_fill"]),
    ],
    # The exchange is an hour behind: that it lacks the last interest proves nothing.
    "interest_after_the_list": [("None", ["wrong_movement", "foreign_activity", "as_of_shift"])],
    # One fill and its position: it is of the other side, or the exchange writes the other sign.
    "exchanged_side_or_the_other_sign": [(IN, ["side_flipped", "wrong_movement"])],
    # An opening of 10,000 and a deposit of 10,000: either is of 1,000.
    "opening_or_a_deposit_of_its_amount": [(IN, ["missing_fill", "opening_balance"])],
    # Every fee is 1.00; that of two shares is no rate which those of one share show.
    "fees_of_one_that_are_no_rate": [
        (IN, ["wrong_movement"]), *[(IN, ["wrong_price"])] * 4,
    ],
    # Beside a deposit listed twice 0.10 is left: half of a fee, or a movement that was lost.
    "fee_of_little_cash_beside_a_copied_deposit": [
        (IN, ["duplicate_fee", "duplicate_movement"]),
        *[(IN, ["duplicate_movement", "fee_sign"])] * 2,
    ],
    # All fills of a symbol net to the 0.001 and the 0.07 of one of them, which was copied.
    "one_fill_or_all_of_its_symbol": [(IN, ["foreign_activity"]), (IN, ["orphan_fill"])],
    # A SELL of one contract is missing: the others net to one contract, and to no cash.
    "one_lot_or_all_of_its_symbol": [(IN, ["orphan_fill"]), (OUT, ["stale_side"])],
    # 0.02 bought at 99.94 are 2.00, as more of a fill at 100 would be.
    "quantity_or_a_fill_at_another_price": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    # A tenth of all fees was paid back; rates of 0.00045 and 0.00027 have the same sum.
    "tiers_or_a_rebate": [(IN, ["fee_rate"])],
    # The last fills cancel but for the SELL that is booked twice.
    "behind_or_one_copy": [
        (OUT, ["stale_side"]), (IN, ["duplicate_fill"]), *[(IN, ["wrong_quantity"])] * 2,
    ],
    # A price of 7.53 instead of 75.34: the last two fills leave as few cents.
    "behind_by_a_few_cents": [(OUT, ["stale_side"])],
    # The quantities of an order were added up; no cash shows the price of an open position.
    "orphan_or_quantity_of_an_open_position": [
        (IN, ["orphan_fill"]), (IN, ["wrong_quantity"]), (IN, ["wrong_quantity"]),
        (IN, ["cumulative_quantity"]),
    ],
    "price_of_an_open_position_beside_a_deposit": [
        (IN, ["wrong_price", "missing_movement"]), ("None", ["missing_movement", "wrong_price"]),
    ],
    # The newest fill has the corrected fee where it is removed, and is the newest all the same.
    "newest_fill_beside_fees_turned": [
        (IN, ["fee_sign", "orphan_fill"]), ("None", ["fee_sign", "stale_side"]),
    ],
    "newest_symbol_beside_a_copy": [
        (IN, ["duplicate_fill", "foreign_activity"]), ("None", ["duplicate_fill", "stale_side"]),
    ],
    # The session declares both: the fill is of the other one.
    "one_fill_of_another_symbol": [(IN, ["alias", "alias"])],
    "one_fill_of_another_currency": [(OUT, ["alias"])],
    # 252 instead of 2522; the fill after it at 2520 is as near to 252 as no other price.
    "price_beside_a_wrong_one": [(IN, ["wrong_fee", "wrong_price"])],
    # A fill of 5 under another symbol: -45 and -15 instead of -40 and -20.
    "rounding_or_another_symbol": [(OUT, ["rounding"])],
    # No balance of the exchange shows its fee with the other sign, and the ledger's is usual.
    "fee_of_the_exchange_at_no_rate": [
        (IN, ["fee_sign", "orphan_fill"]), ("None", ["orphan_fill", "fee_sign"]),
    ],
    # One lot more or less is the sum of two quantities of nearly any order.
    "misread_order_by_one_position": [(IN, ["cumulative_quantity"])],
    # An opening of 0.5 BTC, and a withdrawal of 0.5 BTC that was lost.
    "round_opening_or_a_withdrawal": [(IN, ["opening_balance"])],
    "one_share_of_the_opening": [(IN, ["missing_fill", "missing_fill", "opening_balance"])],
    # A reward of 0.00000012 beside the quantities of an order that were added up.
    "quantity_of_a_finer_lot": [(IN, ["wrong_quantity"]), (IN, ["wrong_quantity"])],
    # The exchange lists a funding by the day: one of three is missing, or another one is wrong.
    "period_that_lacks_a_funding": [(IN, ["missing_movement"])],
    # The list of the exchange is two hours old, and the dividend is newer.
    "dividend_that_is_newest": [
        (IN, ["wrong_quantity", "foreign_activity"]), ("None", ["wrong_quantity", "stale_side"]),
    ],
    # 7.809 among prices of 78, and no cash is stated: the exchange lists it wrong.
    "price_that_no_repair_books": [(IN, ["wrong_price"])],
    # The exchange lists the fill in the account main, and its state is of before it.
    "fill_of_another_account": [(IN, ["orphan_fill"])],
    # A SELL that is a BUY closes nothing: no PnL and no fee, and no position is stated.
    "round_trip_without_fees": [(OUT, ["as_of_shift"])],
    # Its orders are of now and have both of two equal fills, its state and its list have one.
    "orders_newer_than_the_fills": [(IN, ["duplicate_fill"]), (OUT, ["stale_side"])],
    # The last order is reported as filled, and a snapshot after it has no such fill.
    "orders_newer_than_the_state": [(IN, ["orphan_fill"])],
    # Two fees at rates of their own, and a fill without one; a third rate has their sum.
    "one_rate_for_two": [(IN, ["fee_rate"])],
    # 5, 10 and 15 booked of 5, 5 and 5 at one price: too much by the last of them.
    "third_of_equal_executions": [(IN, ["orphan_fill"]), (IN, ["cumulative_quantity"])],
    # Another fill of that order at its price was lost.
    "larger_fill_where_none_has_a_fee": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    # All fees of the ledger are doubled, and the exchange's list lost a fill that its state has.
    "fees_beside_a_row_that_the_exchange_lost": [
        (OUT, ["fee_rate", "missing_fill", "fee_rate"]),
    ],
    # In cents 75 at 1.26607 cost what 75 at 1.26606 do, and what 150 less 75 do.
    "copy_or_another_size_a_tick_away": [(IN, ["duplicate_fill"]), (IN, ["wrong_quantity"])],
    "copy_or_another_size_two_ticks_away": [(IN, ["duplicate_fill"]), (IN, ["wrong_quantity"])],
    # Fills that only open a contract: no cash shows their quantity.
    "unit_of_an_open_position": [(IN, ["unit"]), (OUT, ["unit"])],
    "unit_of_a_stated_position": [(IN, ["unit"]), (OUT, ["unit"])],
    # One of the three newest rows has the content of a fill that is listed twice by its id.
    "behind_or_a_copy_by_its_id": [
        (OUT, ["stale_side"]), ("None", ["stale_side", "duplicate_fill"]),
    ],
    # Three BUYs of 201 were lost; nearly any two of the SELLs of 201 have their cents.
    "two_rows_or_several_lost_fills": [
        (IN, ["orphan_fill", "side_flipped"]), (IN, ["missing_fill"]),
    ],
    "two_rows_that_pull_apart": [(IN, ["side_flipped", "wrong_quantity"])],
    # Position and cash of the exchange have the fill once, its list has it twice.
    "list_with_a_copy": [("None", ["missing_fill", "missing_fill", "missing_fill"])],
    # Both state the same cash, and neither side's rows give it: either fee may be wrong.
    "fee_of_a_ledger_whose_cash_agrees": [(IN, ["wrong_fee"])],
    # The exchange ends before its last three fills, of which the other two cancel.
    "newest_fill_beside_a_row_under_another_symbol": [(IN, ["orphan_fill"])],
    # 1.9 and 1.9 of one order were cut to 1 and 1: what it lacks is shared in any way.
    "order_of_two_fills_that_are_cut": [(IN, ["wrong_quantity", "wrong_quantity"])],
    # A lost fill like it, and its fee booked twice: the rate is that of 660,000 as well.
    "quantity_twice_or_a_lost_twin": [(IN, ["wrong_quantity"])],
    # Each order pays 1.50: a fee of 0.01 is at a rate of one fill, and 0.25 at that of another.
    "share_at_a_price_with_its_fee": [(IN, ["wrong_quantity"]), *[(IN, ["missing_fill"])] * 2],
    "one_share_among_thirty_seven_fills": [
        (IN, ["missing_fill"]), *[(IN, ["wrong_quantity"])] * 3,
    ],
    # The position is open, and the only other fill pays 1.00, too.
    "price_by_a_flat_fee": [(IN, ["missing_fill"])],
    # The rate gives 0.0135: rounded up it is 0.02, and a wrong price leaves a cent as well.
    "doubled_fee_of_one_cent_that_is_rounded_up": [(IN, ["duplicate_fee"])],
    # Of a contract the balances show the fees alone: two halves, or those of one fill.
    "two_halves_or_one_fill_of_a_contract": [(IN, ["duplicate_fee", "duplicate_fee"])],
    # 0.02 a share: the rate of the worth that fits fees of 0.02 to 0.20 gives 0.39 for 0.40.
    "fee_at_a_rate_known_to_few_units": [
        (IN, ["fee_sign", "unit"]), (IN, ["duplicate_fee", "unit"]),
        *[(IN, ["unit", "wrong_price"])] * 3,
    ],
    # 100 at 10.00 and a flat fee of 1.00 cost 1001, as 100 more at 10.01 do.
    "missing_fill_or_more_at_the_next_price": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    # Of the only fill of its market: it is false, and a price elsewhere is wrong.
    "fill_that_undoes_the_only_one": [(IN, ["missing_fill"])],
    # Five fills of 3.93 at a flat fee, of which the ledger has one twice within seconds.
    "behind_or_a_copy_of_its_size": [(OUT, ["stale_side"])],
    # Two equal fills of one order, and the newest of their size: no figure shows its price.
    "newest_fill_at_another_price": [(IN, ["duplicate_fill"]), (OUT, ["as_of_shift"])],
    # The exchange charged 0.02 more than its list has, which has a fill without a fee.
    "fee_that_its_own_list_lost": [("None", ["wrong_quantity", "duplicate_fee"])],
    # SPY at 60.24, KO's price: the exchange lacks one row less, and the symbol is wrong.
    "behind_by_a_row_under_another_symbol": [(OUT, ["stale_side"])],
    # A fill is there twice by its id, and an answer that leaves both has its figures.
    "copy_by_its_id_beside_a_false_fill": [
        (IN, ["duplicate_fill", "orphan_fill"]), (IN, ["missing_fill"]),
        ("None", ["duplicate_fill", "stale_side"]),
    ],
    "units_of_two_positions": [(OUT, ["unit", "unit"])],
    "newest_expiry_unseen": [(IN, ["foreign_activity"]), (OUT, ["stale_side"])],
    # Bought three times and sold three times at one price: the last order cancels the first.
    "behind_or_running_sums": [
        (OUT, ["stale_side"]), ("None", ["stale_side", "cumulative_quantity"]),
    ],
    # 50 at 1.1485 cost 57.43 once both fills are rounded, as 50 at 1.1487 do.
    "quantity_of_a_fill_that_costs_as_much": [(IN, ["wrong_quantity"])],
    # Both open with 2.7, and the exchange's cash is not that of its rows.
    "opening_that_both_sides_give": [(OUT, ["opening_balance", "unit"])],
    # The last row is of 23 minutes after both states.
    "behind_by_a_row_of_after_its_state": [(OUT, ["stale_side"])],
    # 146, 174 and 185 are too much by the first two, and the opening has 320.
    "running_sums_or_an_opening_that_counts_them": [
        (IN, ["cumulative_quantity"]), (IN, ["opening_balance"]),
    ],
    "behind_or_a_copy_of_the_newest": [(OUT, ["stale_side"])],
    # Both list the fill whose time is an hour later here: it is no newer row.
    "behind_by_rows_before_a_wrong_time": [
        (IN, ["orphan_fill", "orphan_fill"]), (OUT, ["as_of_shift"]),
    ],
    # The exchange lists three fills as one, of which the ledger has the last one twice.
    "merged_row_beside_a_copy": [
        (IN, ["wrong_quantity", "wrong_price", "missing_fee", "orphan_fill", "orphan_fill",
              "duplicate_fill"]),
    ],
    # A fee of 2 for each order: a second fill of it has none.
    "larger_fill_with_the_fee_of_its_order": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    "larger_fill_by_one_digit": [(IN, ["wrong_quantity"]), (IN, ["missing_fill"])],
    # Ten times as much, where a contract is of ten: the other way round.
    "unit_against_the_size_of_the_contract": [(OUT, ["unit"]), (IN, ["wrong_quantity"])],
    "one_fill_of_the_other_sign": [(OUT, ["sign_convention"])],
    # A BUY of 48 is too many of one symbol, and 48 are lacking of another at its price.
    "fill_under_the_wrong_symbol": [(IN, ["orphan_fill", "wrong_quantity"]), (IN, ["alias"])],
    # Fees of 0.05 and 0.02 in cents: one of them is a cent too large, or 0.01 was booked twice.
    "fee_wrong_by_one_unit": [(IN, ["duplicate_fee"]), (IN, ["wrong_price"])],
    # 0.05406 has 54 ticks in one percent: a SELL of 0.010 that is missing may have its price.
    "quantity_or_a_fill_at_few_prices": [(IN, ["wrong_quantity"])],
    # 2296.056666666667 is the average of two fills; all else of the exchange has few digits.
    "digits_of_an_average_price": [(OUT, ["rounding"])],
    # No order ids: 1000, 6000 and 16000 in a row at one price are running sums, or one is wrong.
    "running_sums_without_order_ids": [(IN, ["wrong_quantity"]), (IN, ["cumulative_quantity"])],
    # The opening has the position of the only fill: it counts it, or the exchange has it not yet.
    "behind_or_an_opening_of_later": [(OUT, ["as_of_shift"]), (IN, ["opening_balance"])],
    "copy_or_an_opening_of_later": [(IN, ["duplicate_fill"]), (IN, ["opening_balance"])],
    # The fee that differs has a part in the cash that the rounding hides.
    "rounding_beside_a_wrong_fee": [(OUT, ["rounding"])],
    # 0.35 for 2.39 USD is the least fee of an order, and no rate of 15 %.
    "fill_at_the_rate_of_a_least_fee": [(IN, ["missing_fill"])],
    # One fee an order: of two fills without one, either may be of an order that paid.
    "flat_fee_of_either_fill": [(IN, ["missing_fee"])],
    "flat_fee_of_either_side": [(IN, ["missing_fee"])] * 2,
    "flat_fee_of_an_order": [(IN, ["missing_fee"])] * 2,
    # It states 0 of what its own rows give: computed without the opening, or not at all.
    "figure_of_nothing": [(OUT, ["opening_balance"])],
    "open_price_beside_a_lost_fill": [
        (IN, ["wrong_price", "missing_fill"]), ("None", ["missing_fill", "wrong_price"]),
    ],
    # A fill of five hours after both states has a wrong time, and is not the newest.
    "newest_fill_beside_a_time_of_later": [(IN, ["orphan_fill"]), (OUT, ["stale_side"])],
    "fill_of_another_declared_contract": [(IN, ["alias"])],
    # A flat fee shows no quantity: the ledger may have ten times as much.
    "both_legs_tenfold": [(OUT, ["unit"])],
    # Every fill is of 243: a BUY is missing as well as a SELL is one too many.
    "equal_fills_and_no_cash": [(IN, ["duplicate_fill"])],
    "multiplier_and_no_positions": [(IN, ["multiplier"])],
    # 18 fees of 1.50 turned are 54.00, as is 100 at 0.54 more; nobody pays a flat rebate.
    "flat_fees_all_turned": [(IN, ["fee_sign"]), (IN, ["wrong_price"])],
    # 12 at 1.1492 and 12 at 1.1494 cost 13.79 both, and one of them is there twice.
    "fills_of_equal_cash": [(IN, ["orphan_fill"])],
    # Nothing else trades the pair, and nobody pays fees: a SELL at its price may be lost.
    "fill_that_a_lost_one_undoes": [(IN, ["orphan_fill"])],
    # A BUY and a SELL of 100 have the same fee, and the maker's rate is below zero.
    "turned_fee_of_a_buy_or_a_sell": [(IN, ["fee_sign"])],
    # Its own row gives 0.077, and it states 0: a fill that it lost, or whole contracts.
    "position_of_whole_contracts": [(OUT, ["missing_fill"])],
    # 0.044 for a fee of 7.86, where all others pay 0.1 % and 1.50: that row may be wrong.
    "missing_fill_beside_an_odd_fee": [
        (IN, ["fee_sign", "wrong_quantity"]), (IN, ["wrong_fee", "wrong_quantity"]),
    ],
    # 1.97, 3.94 and 5.91 of an order of 5.91: no cash shows the price of an open contract.
    "running_sums_of_an_open_contract": [(IN, ["orphan_fill"]), (IN, ["cumulative_quantity"])],
    # Nothing of a market is in the exchange's balances: its fills are those of the opening.
    "late_opening_or_a_foreign_market": [
        (IN, ["foreign_activity"]), (IN, ["opening_balance"]),
    ],
    # 0.109, 0.218 and 0.327 of an order of 0.327; one price is wrong as well.
    "running_sums_up_to_a_report": [(IN, ["orphan_fill"]), (IN, ["cumulative_quantity"])],
    # Two fills of two markets have no fee, and 0.02 is flat.
    "flat_fee_of_any_market": [(IN, ["missing_fee"])],
    # The opening counts the first fill already, which is listed twice.
    "late_opening_beside_a_copy": [
        (IN, ["orphan_fill", "duplicate_fill"]), (IN, ["duplicate_fill", "opening_balance"]),
    ],
    # The ledger's own rows, at twice the declared size, give neither figure.
    "unit_beside_another_multiplier": [(IN, ["unit"])],
    # Three fills of one lot give -3 lots, and the exchange states 1 lot.
    "two_flips_or_few_lots": [(IN, ["side_flipped", "side_flipped"])],
    # No balance of a float source shows a fee that is wrong by less than its dust.
    "fee_within_float_dust": [(OUT, ["wrong_fee", "orphan_fill"])],
    # 69 at 390.96 less 2.07 is 69 at 390.93, and another fill of 69 lacks a fee of 2.07.
    "lost_fill_and_a_lost_fee_of_ticks": [(IN, ["missing_fill"])],
    # A fill of after both states has a wrong clock, so that the expiry is the newest row.
    "behind_or_an_expiry_beside_a_late_clock": [
        (IN, ["foreign_activity"]), (OUT, ["as_of_shift"]), (IN, ["opening_balance"]),
    ],
    # The positions are not compared, and a lost fill of a contract shows its flat fee alone.
    "flat_fee_or_a_lost_fill_of_a_contract": [(IN, ["missing_fee"])],
    # 32,600 were sold three times and bought three times; two of the SELLs are copies.
    "behind_by_fills_of_both_sides_beside_a_copy": [(OUT, ["stale_side"])],
    # All trades net to 0.0008 of cash, as they do in any unit so small that they cost nothing.
    "a_unit_of_trades_worth_nothing": [(IN, ["wrong_price"])] * 2,
    # A fill of 116 USD is the only one with a fee, of 9.00011 BTC; the opening is 9 BTC less.
    "opening_or_a_fee_of_its_amount": [(IN, ["opening_balance"])],
    # 113 were sold twice at one price, once with a rebate: which of both was a BUY is not shown.
    "one_of_two_turned_fills_with_unlike_fees": [(IN, ["side_flipped"])],
    # The only deposit was paid out again: the exchange has nothing of the currency.
    "deposit_of_another_or_paid_out": [(IN, ["foreign_activity"]), (IN, ["opening_balance"])],
    # Two fills of after both states; one repeats a fill of its order, half an hour later.
    "behind_by_a_copy_of_after_both_states": [(OUT, ["stale_side"])],
    # Nobody pays fees, and KO trades at 60.09 and 60.11: a SELL of 2 at 60.09 may be lost.
    "turned_fill_or_a_lost_one_of_twice_its_size": [(IN, ["side_flipped"])],
    # 5 prices of KO are within 28 ticks, and a fill of 2 without a fee: its SELL may be lost.
    "fill_of_another_or_a_lost_one_in_few_ticks": [(IN, ["orphan_fill"])],
    # One fee of 0.30 among 0.35 and one fill without: 0.05 is missing there, or too little here.
    "fee_at_the_rate_of_one_fill": [(IN, ["missing_fee"])],
    # 220 of an order that stay open were bought at 99.02, as its other 220 were, or at 99.03.
    "lost_fill_of_an_open_contract_at_any_price": [(IN, ["fee_currency", "missing_fill"])],
    # 348 of an order are lost, and the exchange is behind by 348 of another one.
    "turned_fill_beside_an_order_that_lacks_one": [(IN, ["side_flipped"])],
    # 0.097 are worth 46.51 at the price of one of 17 fills, and at two prices of 100.
    "quantity_or_a_lost_fill_of_one_of_many_prices": [(IN, ["wrong_quantity"])],
    # Three fills that are turned, and one of them again: that one, and the exchange's own sign.
    "all_turned_and_one_again": [(IN, ["sign_convention", "side_flipped"])],
    # 13 fees of 1.00 and one of 3.00 turned round are 32.00, and 72 contracts at another price.
    "fees_of_few_lots_or_the_price_of_a_fill": [(IN, ["fee_sign"])],
    # Interest of 250 on two days, of which the exchange lists the first: the second is yet to come.
    "newest_movement_or_a_copy_of_another_day": [
        (IN, ["duplicate_movement"]), (OUT, ["as_of_shift"]),
    ],
    # A reward that no row of the exchange shows; nothing is later in the ledger.
    "newest_movement_or_behind": [
        (IN, ["foreign_activity"]), (OUT, ["stale_side"]), (IN, ["opening_balance"]),
    ],
    # Both sides list the deposit; the exchange's balance does not have it yet.
    "movement_that_the_exchange_lists_itself": [(IN, ["foreign_activity"])],
    # 1.3179 USDC are the two fees of the ledger, which were paid in USDT.
    "conversion_of_all_fees": [(IN, ["conversion"])],
    # A fill was of SOL/USDC, and the ledger has it as SOL/USDT.
    "conversion_of_the_worth_of_a_fill": [(OUT, ["conversion"])],
    # A deposit of USDT, which the ledger has as USDC.
    "conversion_of_a_deposit": [(IN, ["conversion"])],
    # Each account is asked for alone: one is behind by its newest fill.
    "newest_fill_of_one_account": [
        (IN, ["orphan_fill", "sign_convention"]), ("None", ["sign_convention", "stale_side"]),
    ],
    # A fill that names no order is all that a reported order has filled, at that second.
    "false_fill_that_a_report_has": [(IN, ["orphan_fill"])],
    # 0.0017 KO less in one SELL and more in another: no figure of the exchange shows either.
    "quantities_of_the_exchange_that_cancel": [
        (OUT, ["wrong_quantity", "fee_sign", "wrong_quantity"]),
    ],
    # The exchange lists its last fill, and no balance: its snapshots do not show that price.
    "price_of_a_short_list": [(OUT, ["wrong_price", "missing_fill", "missing_movement"])],
    # Two fees that the ledger exchanged cancel in the balance of the exchange.
    "fees_of_a_short_list_that_cancel": [
        (OUT, ["wrong_fee", "wrong_fee", *["missing_fill"] * 4]),
    ],
    # A list may state no fees, and no balance shows one.
    "list_without_the_fee_of_a_fill": [(IN, ["wrong_fee"]), (OUT, ["wrong_fee"])],
    "list_without_fees": [(IN, ["fee_rate"]), (OUT, ["fee_rate"])],
    # Eight SELLs that opened a position cost the same as eight BUYs.
    "position_or_all_fills_turned": [(OUT, ["sign_convention"])],
    # 2570.02 and 2580.02 against 2570 and 2580 lost no digits: the ledger is 0.02 off.
    "prices_that_are_all_off": [
        (IN, ["wrong_price", "wrong_price"]), ("None", ["wrong_price", "wrong_price"]),
    ],
    # The ledger is what the exchange lists; its state may be of before its last fill.
    "state_behind_its_list_or_a_copy": [(IN, ["duplicate_fill"]), (OUT, ["stale_side"])],
    # The list of the exchange begins after a funding of the ledger, and states no balance.
    "movement_of_before_the_list": [
        ("None", ["wrong_quantity", "foreign_activity", "missing_movement"]),
    ],
    # 22 more at 1.26603 are 27.85, and 22 at 1.26545 with a fee of 0.01 are 27.85 as well.
    "quantity_or_a_lost_fill_with_a_fee_of_its_own": [(IN, ["wrong_quantity"])],
    # One contract more of a position that stays open: 101 for 100, or a fill at any price near.
    "digit_of_a_quantity_or_a_lost_fill_of_a_contract": [(IN, ["wrong_quantity"])],
    # Some of the fees, which the ledger has in another coin, are as much.
    "conversion_of_some_fees": [(IN, ["conversion"])],
    # BUY 352 at any price is SELL 176 turned round, and a payment that is missing.
    "missing_fill_or_a_turned_one_beside_a_payment": [(IN, ["missing_fill"])],
    # 50 bought at 1.1513 and sold at 1.1529: the gain is both fees of 0.04.
    "only_fill_closed_at_its_cost": [(IN, ["orphan_fill"])],
    # 1 GBP sold is bought, or 2 GBP are: to the cent at each price of the market.
    "one_pound_turned_or_two_bought": [(IN, ["side_flipped"])],
    # Two equal fills of 128 without a fee, or SELL 128 at one of four prices around is lost.
    "free_copy_or_a_lost_fill_of_an_option": [(IN, ["duplicate_fill"])],
    # 1 sold at 392.83 and 0.39 paid, or 1 less bought at 392.05 and 0.39 not paid.
    "sold_or_bought_one_less": [(IN, ["missing_fill"]), (IN, ["wrong_quantity"])],
    # The quantity explains all, and no figure shows the price of a contract that stays open.
    "price_that_moves_nothing": [(IN, ["wrong_price", "wrong_quantity"])],
    # 5 at 391.11 and 0.10 by the rate of the wrong row, or 5 at 391.06 and 0.35.
    "size_charged_by_its_own_row": [(IN, ["wrong_quantity"])],
    # 271,000 and 542,000 of one order: the first is false, or the second is of 271,000.
    "one_of_an_order_or_twice_the_size": [(IN, ["orphan_fill"]), (IN, ["wrong_quantity"])],
    "free_copy_or_a_lost_sale": [(IN, ["duplicate_fill"])],
    # Without a fee a SELL and a BUY of its size at its price leave no trace.
    "free_fill_or_its_reverse_a_minute_before": [(IN, ["orphan_fill"])],
    # Bought 77 and sold 77 at 59.85, of which the list has the second as 2,108 at 60.82.
    "behind_by_a_round_trip_or_an_odd_row": [
        (OUT, ["stale_side"]), (IN, ["wrong_quantity"]),
    ],
    "behind_by_sixteen_or_an_odd_row": [(OUT, ["stale_side"]), (IN, ["wrong_quantity"])],
    # Nine prices of 373 shares in a market of 114 ticks: a lost SELL has one of them.
    "free_fill_or_a_lost_one_of_few_prices": [(IN, ["orphan_fill"])],
    # 0.35 is the fee of 268 and of 536: the order has a fill of 536, or a second one of 268.
    "second_part_of_an_order_at_its_flat_fee": [(IN, ["wrong_quantity"])],
    # One lot without a fee has a price on a tick whatever the cash is.
    "lot_at_any_price": [(IN, ["missing_fill"])],
    # Both fees of the ledger are at the rate, and both of the exchange are not.
    "fees_exchanged_in_the_list_of_the_exchange": [(IN, ["wrong_fee", "wrong_fee"])],
    # One row of 700 where the ledger has 200, 200, 200 and 100, of which one is there twice.
    "order_in_one_row_beside_a_copy": [
        (IN, ["wrong_price", *["orphan_fill"] * 4, "duplicate_fill", "missing_fill"]),
    ],
    # 1,412 is an odd row and in truth 362, as the newest fill, which the exchange has not seen.
    "odd_row_or_the_newest_unseen": [(IN, ["orphan_fill"]), (OUT, ["stale_side"])],
    # All five of 191,000 are of 191, and four of them cancel.
    "one_of_many_of_a_thousand_times": [(IN, ["wrong_quantity"])],
    # The fills of the second symbol cancel, and their fees say that they are in the right unit.
    "unit_of_one_of_two_symbols": [(IN, ["unit"]), (IN, ["unit"]), (OUT, ["unit"])],
    "unit_that_no_cash_shows": [(IN, ["unit"]), (OUT, ["unit"])],
    # 0.0000241 for 304.5, where 0.1 costs as much.
    "turned_fee_of_an_odd_row": [(IN, ["fee_sign"])],
    # Others have a rebate, and the false one has neither a fee nor a currency.
    "false_fill_without_a_currency_of_its_fee": [(IN, ["orphan_fill"]), (OUT, ["stale_side"])],
    # No replay closes a position whose price nobody knows.
    "position_that_came_without_a_price": [
        (IN, ["orphan_fill"]), *[(IN, ["wrong_quantity"])] * 2,
    ],
    "split_in_an_account_with_a_slash": [(IN, ["split"])],
    # Six fills that cancel, all older than the first one that the exchange lists.
    "list_that_begins_later_than_a_round_trip": [(IN, ["orphan_fill"] * 6)],
    # All but one fill pay a flat fee, and the order of SELLs keeps the BUY that was turned round.
    "lost_fill_of_twice_a_turned_one": [(IN, ["missing_fill"])],
    # 1.52 is the fee of the newest fill, which the exchange has not charged yet.
    "all_fees_and_an_interest_turned": [(IN, ["fee_sign", "wrong_movement"])],
    # A credit of 45.00 that nobody lists is four fees of 11.25.
    "two_turned_fees_of_a_credit": [(OUT, ["fee_sign", "fee_sign"])],
    # 2.25 a contract, for 8 and for all others: 9.00 are half of 18.00, and the newest fee.
    "half_of_a_fee_for_each_contract": [(IN, ["duplicate_fee"])],
    # Another fill of that order is at the rate of a taker, too.
    "half_of_a_taker_fee": [(IN, ["duplicate_fee"])],
    "credit_of_twice_a_fee": [(OUT, ["fee_sign"])],
    # 14 fees are 1.00; the ledger's 1.50 is balanced by its opening.
    "fee_of_the_exchange_at_its_rate": [(OUT, ["wrong_fee"])],
    # One fill lacks its fee, and a missing fill of the order has as much.
    "lost_fill_or_a_short_one_and_a_lost_fee": [(IN, ["missing_fill"])],
    # The last order earns 2,025.00 less a fee of 20.25: 99 % of what all trades earn.
    "multiplier_or_an_order_that_is_not_posted": [(IN, ["multiplier"])],
}  # fmt: skip
PROVEN: dict[str, Answer] = {
    # A lost fill of 5 is none of two copies, and two false ones of 1 and 2 are not listed as 5.
    "two_copies_and_a_lost_fill": (IN, ["duplicate_fill", "duplicate_fill", "missing_fill"]),
    "two_false_fills_and_a_larger_one": (IN, ["orphan_fill", "orphan_fill", "missing_fill"]),
    # The rate of 0.1 % gives 0.00101 for it, and a unit is charged.
    "turned_fee_of_one_unit": (IN, ["fee_sign"]),
    # Nobody compares the position; the id is there twice.
    "copy_by_its_id_of_an_open_position": (IN, ["duplicate_fill"]),
    # An order of 2.98 that lacks 5.96 has a fill of the wrong side, and lacks none.
    "order_of_the_other_side_lacks_no_fill": (IN, ["fee_sign", "side_flipped"]),
    # No contract that settles in BTC changes cash in ETH, whatever its multiplier.
    "fees_of_one_currency_and_a_contract_of_another": (IN, ["fee_sign", "missing_fee"]),
    # The state of the exchange is the sum of its fills; only one report says otherwise.
    "report_against_its_state": (IN, ["wrong_quantity"]),
    # The exchange's row and its cash agree; that it lists no position proves nothing.
    "conversion_of_the_exchange": (IN, ["missing_fill"]),
    # Statements without a list of fills: their movements count all the same.
    "sign_of_a_movement": (IN, ["wrong_movement"]),
    "fees_of_a_statement": (IN, ["missing_movement", "missing_movement"]),
    "funding_of_a_statement": (IN, ["missing_movement"] * 3),
    # The exchange lists fills and no movements: the ledger's deposit is no fault by that.
    "price_beside_a_deposit": (IN, ["wrong_price"]),
    "deposit_of_another": (IN, ["foreign_activity"]),
    "deposit_with_the_other_sign": (IN, ["wrong_movement"]),
    # 0.00400 is 0.00398 rounded, and its fee is that of 0.00400.
    "figure_that_its_fee_follows": (IN, ["wrong_quantity"]),
    # Of the fundings of a day, which the exchange lists as one, the first two cancel.
    "funding_that_cancels_by_the_day": (IN, ["duplicate_fill"]),
    # Seven fundings in a row of the day: one of them is there twice, and the others are right.
    "copy_in_a_funding_of_the_day": (IN, ["duplicate_movement"]),
    # No fill of 0.001 has a fee, and all fees but this one are paid.
    "small_fills_without_a_fee": (IN, ["fee_sign"]),
    # The exchange's cash is that of its price: it cut no digits off.
    "round_price_that_its_cash_follows": (IN, ["wrong_price"]),
    # 0.187 at 476.80 and at 476.81 are 89.16 both; one of the four fills has the id of another.
    "copy_by_id_among_equal_amounts": (IN, ["duplicate_fill"]),
    # Every other fee is 0.02.
    "fee_beside_float_dust": (IN, ["missing_fee"]),
}

OF_THE_EXCHANGE = {
    # It lists no movement at all, and its balance has the deposit.
    "list_of_fills_alone": "missing_fill",
    # Shares that it lists as positions only.
    "shares_of_an_hour_ago": "as_of_shift",
    "shares_of_a_day_ago": "as_of_shift",
    # The ledger's own rows give its figure.
    "free_where_the_total_is_meant": "balance_kind",
    "unit_of_the_exchange": "unit",
    # The ledger's own rows give its figure but for the dust of floats.
    "unit_beside_float_dust": "unit",
}
"""Sessions in which the exchange is proven to be wrong or behind, and the kind of cause."""

NO_CAUSE = {
    # Its reports of orders say that all rows of the exchange are off, and not only two of them.
    "list_of_ten_times_beside_a_wrong_quantity",
    # Beside another fault it is not even the first of two causes.
    "sign_of_one_position",
    # The ledger trades both symbols: neither is a name of the other.
    "two_symbols_of_one_side",
    # The exchange does not list its BNB: no fee at all, and no opening, would make it 0.
    "balance_that_is_not_listed",
    # The ledger states 0, against its rows and the exchange: no balance is counted twice.
    "zero_against_its_own_rows",
    # 99998.00000000 has eight decimals: it was rounded to none of them, and a flat fee is off.
    "wrong_fee_or_rounded_to_units",
}
"""Sessions of which nothing is proven, and no cause is named."""

OTHERS = {
    "order_in_other_parts",
    "shares_beside_their_rows",
    "behind_by_all_shares",
    "size_of_an_option",
    "copy_among_four_equal_fills",
    "exchange_that_rounds_beside_a_fee",
}
"""Sessions with a test of their own."""


def reconciled(directory: Path, name: str) -> Reconciliation:
    """One of the sessions, read from a file of its own."""
    path = directory / f"{name}.recon.json"
    path.write_text(json.dumps(SESSIONS[name]))
    return reconcile_session(path)


def test_every_session_is_asked() -> None:
    """None of the file is left out."""
    assert SESSIONS.keys() == {*RIVALS, *PROVEN, *OF_THE_EXCHANGE, *NO_CAUSE, *OTHERS}


@pytest.mark.parametrize("name", RIVALS)
def test_an_answer_with_a_rival_is_ambiguous(name: str, tmp_path: Path) -> None:
    """The answer is shown with the rivals that are known, and repairs nothing."""
    reconciliation = reconciled(tmp_path, name)
    found = explain(reconciliation)
    assert {one.verdict for one in found} == {ExplanationVerdict.AMBIGUOUS}
    assert [
        (str(one.side), [str(cause.cause_kind) for cause in one.causes]) for one in found
    ] == RIVALS[name]
    for one in found:
        assert one.decides
        with pytest.raises(ReconError, match="would decide"):
            entries_of(reconciliation, one)


@pytest.mark.parametrize("name", PROVEN)
def test_what_the_rows_show_is_unique(name: str, tmp_path: Path) -> None:
    """The right side is named, and its repair can be written."""
    reconciliation = reconciled(tmp_path, name)
    (one,) = explain(reconciliation)
    side, kinds = PROVEN[name]
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert (str(one.side), [str(cause.cause_kind) for cause in one.causes]) == (side, kinds)
    assert entries_of(reconciliation, one)


def test_no_entry_has_the_dust_of_floats(tmp_path: Path) -> None:
    """The fee is that of the schedule; the dust of the stated balance is what remains."""
    reconciliation = reconciled(tmp_path, "fee_beside_float_dust")
    (one,) = explain(reconciliation)
    entries = entries_of(reconciliation, one)
    assert [entry.row["fee"] for entry in entries if entry.action == "add_fill"] == ["0.02"]


@pytest.mark.parametrize("name", sorted(NO_CAUSE))
def test_no_cause_is_named(name: str, tmp_path: Path) -> None:
    """What fits by a figure alone is left out."""
    found = explain(reconciled(tmp_path, name))
    assert [one.verdict for one in found] == [ExplanationVerdict.UNEXPLAINED]


@pytest.mark.parametrize("name", OF_THE_EXCHANGE)
def test_the_exchange_is_at_fault(name: str, tmp_path: Path) -> None:
    """One cause explains it, and no row of the ledger is blamed."""
    (one,) = explain(reconciled(tmp_path, name))
    assert (one.verdict, str(one.side)) == (ExplanationVerdict.UNIQUE, OUT)
    assert [str(cause.cause_kind) for cause in one.causes] == [OF_THE_EXCHANGE[name]]


def test_a_list_without_balances_says_nothing_of_rows(tmp_path: Path) -> None:
    """The exchange contradicts its own fills, and its positions are all that it lists of shares."""
    reconciliation = reconciled(tmp_path, "shares_beside_their_rows")
    assert {diff.identity for diff in reconciliation.diffs} == {
        "ledger::external:SAP", "ledger::external:USD",
    }  # fmt: skip
    assert explain(reconciliation) == ()


def test_no_balance_is_added_that_neither_side_lists(tmp_path: Path) -> None:
    """Shares that the exchange does not have yet become its position, and no balance."""
    reconciliation = reconciled(tmp_path, "behind_by_all_shares")
    (one,) = explain(reconciliation, repair_exchange=True)
    assert [str(cause.cause_kind) for cause in one.causes] == ["stale_side"]
    rows = [entry.row for entry in entries_of(reconciliation, one, repair_exchange=True)]
    assert {row.get("symbol") or row["currency"] for row in rows} == {"KO", "USD"}
    assert [row["corrected"] for row in rows if "currency" in row] == ["-21050.91"]


def test_an_option_has_another_size(tmp_path: Path) -> None:
    """All its fills cost ten times as much: it is of 100, and declared with 10."""
    (one,) = explain(reconciled(tmp_path, "size_of_an_option"))
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert [str(cause.cause_kind) for cause in one.causes] == ["multiplier"]
    assert "(it is 100)" in one.text


def test_the_copy_is_the_row_whose_id_is_there_twice(tmp_path: Path) -> None:
    """Other fills post the same cents, and have ids of their own."""
    (one,) = explain(reconciled(tmp_path, "copy_by_id_among_equal_amounts"))
    assert [cause.ids for cause in one.causes] == [("8869",)]


def test_any_of_equal_fills_may_be_the_copy(tmp_path: Path) -> None:
    """Two have one time; the copy has another, as two more have, and no id shows it."""
    (one,) = explain(reconciled(tmp_path, "copy_among_four_equal_fills"))
    assert one.verdict is ExplanationVerdict.UNIQUE
    assert one.text.endswith("one of 4 equal fills")


def test_digits_that_an_exchange_rounds_off_are_not_booked(tmp_path: Path) -> None:
    """The ledger's own, in which a fee has the wrong currency, are no evidence of them."""
    reconciliation = reconciled(tmp_path, "exchange_that_rounds_beside_a_fee")
    (one,) = explain(reconciliation, repair_exchange=True)
    assert (one.verdict, [str(cause.cause_kind) for cause in one.causes]) == (
        ExplanationVerdict.UNIQUE,
        ["rounding"],
    )
    with pytest.raises(ReconError, match="digits that the exchange rounds off"):
        entries_of(reconciliation, one, repair_exchange=True)
