"""An independent judge of green verdicts: positions, cash, fills and orders by fractions.

It reads the JSON of a native session and shares nothing with the engine: no type, no
context, no rounding. It says why a session must not be clear, or that it cannot tell;
it never says that a session must be clear.
"""

import json
from collections import Counter, defaultdict
from fractions import Fraction
from typing import Any

_ONE = {"EUR", "USD", "GBP", "CHF", "USDT", "USDC"}
_ENDED = {"CANCELLED", "EXPIRED", "FAILED", "REJECTED"}
_CENT = Fraction(1, 100)
_DUST = Fraction(1, 1_000_000)
"""What a source that computes in binary floats may be off."""

Amounts = dict[tuple[str, ...], Fraction]


class CannotTellError(Exception):
    """The session has something that these few lines do not compute."""


def contradiction(text: bytes) -> str:
    """The reason why a session must not be clear; empty where there is none.

    Raises `CannotTellError` where the verdict rests on what is not computed here.
    """
    document = json.loads(text, parse_float=Fraction, parse_int=Fraction)
    internal, external = document.get("internal"), document.get("external")
    if internal is None or external is None:
        return "a side is missing"
    if "mirror" in external:
        return ""
    for side in (internal, external):
        if "from" in side or any("path" in value for value in side.values() if _is_table(value)):
            raise CannotTellError("a part of the session is in another file")
    spot = _Spot(document.get("instruments") or {})
    sides = {"internal": internal, "external": external}
    # Rows that one side alone reports are not compared: only their count and their sums hold.
    both = {name for name in ("fills", "orders") if all(side.get(name) for side in sides.values())}
    alone = {name: _alone(side, spot, both) for name, side in sides.items()}
    reasons = [f"{name}: {reason}" for name, reason in alone.items() if reason]
    return "; ".join([*reasons, *_between(internal, external, spot)])


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _between(internal: dict[str, Any], external: dict[str, Any], spot: "_Spot") -> list[str]:
    reasons = []
    floats = any(side.get("numbers") == "float" for side in (internal, external))
    dust = _DUST if floats else Fraction()
    plain = all(len(_accounts(side)) <= 1 for side in (internal, external))
    for section, close in (("positions", _close_positions), ("cash", _close_cash)):
        ours, theirs = (_state(side, section, spot, plain=plain) for side in (internal, external))
        if (ours is None) != (theirs is None):
            reasons.append(f"{section}: on one side only")
        elif ours is not None and theirs is not None:
            unequal = [
                key
                for key in ours.keys() | theirs.keys()
                for pair in [(ours.get(key, Fraction()), theirs.get(key, Fraction()))]
                if abs(pair[0] - pair[1]) > dust and not close(key, *pair)
            ]
            reasons += [f"{section}: {key} differs" for key in sorted(unequal)]
    for section, fields in (("fills", _FILL), ("orders", _ORDER)):
        ours, theirs = internal.get(section), external.get(section)
        if ours is None or theirs is None:
            continue
        if _rows(ours, fields) != _rows(theirs, fields):
            reasons.append(f"{section}: differ")
    if not any(internal.get(name) is not None for name in ("positions", "cash", "fills", "orders")):
        reasons.append("nothing to compare")
    return reasons


_FILL = ("fill_id", "symbol", "side", "quantity", "price")
_ORDER = ("symbol", "side", "quantity", "filled_quantity", "state")


def _rows(rows: list[dict[str, Any]], fields: tuple[str, ...]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(_plain(row.get(name), name) for name in fields) for row in rows)


def _plain(value: Any, name: str) -> Any:
    return Fraction(value) if name in ("quantity", "filled_quantity", "price") else value


def _close_positions(_key: tuple[str, ...], ours: Fraction, theirs: Fraction) -> bool:
    return abs(ours - theirs) * 100 <= max(abs(ours), abs(theirs))


def _close_cash(key: tuple[str, ...], ours: Fraction, theirs: Fraction) -> bool:
    absolute = Fraction(1 if key[0] in _ONE else 0)
    return abs(ours - theirs) <= min(absolute, max(abs(ours), abs(theirs)) / 200)


def _accounts(side: dict[str, Any]) -> set[Any]:
    sections = ("positions", "cash", "fills", "orders", "movements")
    tables = [side, side.get("opening") or {}, *(side.get("snapshots") or [])]
    rows = [table.get(name) for table in tables for name in sections]
    return {row.get("account") for part in rows if isinstance(part, list) for row in part}


def _state(side: dict[str, Any], section: str, spot: "_Spot", *, plain: bool) -> Amounts | None:
    """The positions or cash that a side states, or that its fills give."""
    if side.get(section) is not None:
        return _stated(side[section], section, plain=plain)
    if side.get("opening") is None or side.get("fills") is None:
        return None
    if not plain:
        raise CannotTellError("a ledger of several accounts")
    return spot.replayed(side)[section == "cash"]


def _stated(rows: Any, section: str, *, plain: bool) -> Amounts:
    if isinstance(rows, dict):
        tail = ("NET",) if section == "positions" else ()
        return {(name, *tail): Fraction(amount) for name, amount in rows.items()}
    found: Amounts = {}
    for row in rows:
        name, amount = ("symbol", "quantity") if section == "positions" else ("currency", "total")
        tail = (row.get("leg") or "NET",) if section == "positions" else ()
        account = () if plain else (str(row.get("account")),)
        found[row[name], *tail, *account] = Fraction(row[amount])
    return found


def _alone(side: dict[str, Any], spot: "_Spot", compared: set[str]) -> str:
    """The reason why one side contradicts itself."""
    for section, count in (side.get("counts") or {}).items():
        if None not in (side.get(section), count) and len(side[section]) != Fraction(count):
            return f"counts {section} wrongly"
    fills = side["fills"] if "fills" in compared else []
    ids = [(row.get("account"), row["symbol"], row["fill_id"]) for row in fills]
    if len(set(ids)) < len(ids):
        return "states a fill twice"
    for row in side["orders"] if "orders" in compared else []:
        whole, filled = Fraction(row["quantity"]), Fraction(row["filled_quantity"])
        if row["state"] in _ENDED and 0 < whole <= filled:
            return f"an order is {row['state']} and filled"
        if row["state"] == "FILLED" and filled < whole:
            return "an order is FILLED in part"
    return _against_its_rows(side, spot)


def _against_its_rows(side: dict[str, Any], spot: "_Spot") -> str:
    if side.get("opening") is None or not side.get("fills") or not spot.covers(side):
        return ""
    positions, cash = spot.replayed(side)
    if isinstance(side.get("positions"), dict):
        stated = _stated(side["positions"], "positions", plain=True)
        for key in stated.keys() | positions.keys():
            if not _close_positions(
                key, stated.get(key, Fraction()), positions.get(key, Fraction())
            ):
                return f"states {key[0]} other than its fills give"
    if isinstance(side.get("cash"), dict):
        bookings = (1 + 2 * len(side["fills"])) * _CENT
        for name, amount in _stated(side["cash"], "cash", plain=True).items():
            if abs(amount - cash.get(name, Fraction())) > 1 + bookings:
                return f"states {name[0]} other than its fills give"
    return ""


class _Spot:
    """A ledger of spot fills: quantity one way, quantity times price the other, less the fee."""

    def __init__(self, instruments: dict[str, Any]) -> None:
        self._instruments = instruments

    def covers(self, side: dict[str, Any]) -> bool:
        """True if all that moved is spot fills, in one account."""
        symbols = {row["symbol"] for row in side["fills"]}
        kinds = {self._instruments.get(symbol, {}).get("kind") for symbol in symbols}
        return kinds <= {"spot"} and not side.get("movements") and len(_accounts(side)) <= 1

    def replayed(self, side: dict[str, Any]) -> tuple[Amounts, Amounts]:
        """Positions and cash after all fills."""
        if not self.covers(side):
            raise CannotTellError("more than spot fills moved")
        positions: Amounts = defaultdict(Fraction)
        cash: Amounts = defaultdict(Fraction)
        opening = side["opening"]
        positions |= _stated(opening.get("positions") or {}, "positions", plain=True)
        cash |= _stated(opening.get("cash") or {}, "cash", plain=True)
        for row in side["fills"]:
            instrument = self._instruments[row["symbol"]]
            quantity = Fraction(row["quantity"]) * (1 if row["side"] == "BUY" else -1)
            fee, currency = Fraction(row.get("fee") or 0), row.get("fee_currency")
            positions[row["symbol"], row.get("leg") or "NET"] += quantity
            cash[(instrument["base"],)] += quantity
            cash[(instrument["quote"],)] -= quantity * Fraction(row["price"])
            if currency is not None:
                cash[(currency,)] -= fee
            if currency == instrument["base"]:
                positions[row["symbol"], row.get("leg") or "NET"] -= fee
        return positions, cash
