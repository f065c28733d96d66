"""Is an answer right? By the books that its repair leaves, and by what it names.

An answer is right if its entries, applied to a copy, leave both sides as they would be without one
of the faults, or without all. Equivalent are, and nothing else:

* rows of equal content, if the answer's ids name the true one;
* one added fill for lost fills of one symbol, leg and side with the same quantity, value and fees,
  with an id of its own or of one of them, if the figures of the ledger are then the true ones;
* where neither side lists rows, the mirrored answer: nothing there shows a side.

An answer that corrects figures alone must be of the fault's kind too, as any story gives the figure
of the other side. An answer without entries is judged by its kind, side and ids.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeVar

from recon_core import reconcile_session
from recon_core.explain import explain

from .faults import Case, Fault
from .ledger import Books, Fill, Movement, State, replay, rounded
from .session import document, written
from .worlds import Shown, Side

D = Decimal
Answer = Mapping[str, Any]
OUTCOMES: Final = ("silent", "right", "among", "without", "honest", "wrong")
FLOAT_DUST: Final = Decimal("0.000001")


@dataclass(frozen=True)
class Judgement:
    """The outcome for a session, with the answers and a reason."""

    outcome: str
    reason: str
    answers: tuple[Answer, ...] = ()
    diffs: tuple[str, ...] = ()


class _RefusedError(Exception):
    """An entry names a row that is not there."""


def asked(case: Case) -> tuple[list[str], list[Answer]]:
    """The differences of a session and the product's answers, each as plain data."""
    with TemporaryDirectory() as directory:
        path = Path(directory) / "session.recon.json"
        path.write_text(written(document(case.world, *case.sides(), case.multipliers)))
        reconciliation = reconcile_session(path)
        found = explain(reconciliation, repair_exchange=True)
    texts = [diff.description for diff in reconciliation.diffs]
    answers: list[Answer] = [answer.to_dict() for answer in found]
    return [text for text in texts if not text.startswith("session coverage")], answers


def judged(case: Case) -> Judgement:
    """The judgement of the answers to a session."""
    diffs, answers = asked(case)
    found = tuple(answers)
    if not diffs:
        return Judgement("silent", "no difference", found)
    unreadable = [text for text in diffs if "CRITICAL" in text and "readable" in text]
    if unreadable:
        return Judgement("silent", unreadable[0], found, tuple(diffs))
    unique = [answer for answer in answers if answer["verdict"] == "unique"]
    if unique:
        outcome, reason = _unique(case, unique)
    elif any(answer["verdict"] == "ambiguous" for answer in answers):
        named = any(_named(case.faults, answer) for answer in answers)
        outcome, reason = ("among", "") if named else ("without", "")
    else:
        outcome, reason = "honest", ", ".join(answer["verdict"] for answer in answers)
    return Judgement(outcome, reason, found, tuple(diffs))


def _named(faults: Sequence[Fault], answer: Answer) -> bool:
    return any(_is(fault, cause) for fault in faults for cause in answer["causes"])


def _is(fault: Fault, cause: Answer) -> bool:
    """True if a cause is of the fault's kind, side and rows."""
    if cause["kind"] not in fault.kinds or cause["side"] not in {fault.side, None}:
        return cause["kind"] == "alias" and "alias" in fault.kinds
    return not fault.ids or not cause["ids"] or bool(fault.ids & set(cause["ids"]))


def _unique(case: Case, answers: Sequence[Answer]) -> tuple[str, str]:
    causes = [cause for answer in answers for cause in answer["causes"]]
    pairs = {
        frozenset(pair) for answer in answers for names in answer["aliases"].values()
        for pair in names.items()
    }  # fmt: skip
    true_pairs = {frozenset(fault.names) for fault in case.faults if fault.names}
    if not pairs <= true_pairs:
        return "wrong", f"names: {pairs - true_pairs}"
    entries = [entry for answer in answers for entry in answer["repair"]]
    unbooked = [
        cause for answer in answers if not answer["repair"] for cause in answer["causes"]
        if cause["kind"] != "alias"
    ]  # fmt: skip
    for cause in unbooked:
        if not any(_is(fault, cause) for fault in case.faults):
            return "wrong", f"names {cause['kind']}"
    if not entries:
        return "right", ""
    sides = case.sides()
    bare = not any(side.shown.fills or side.shown.movements for side in sides)
    try:
        repaired = tuple(
            _repaired(side, [entry for entry in entries if entry["side"] == name])
            for side, name in zip(sides, ("internal", "external"), strict=True)
        )
    except _RefusedError as error:
        return "wrong", f"repair refused: {error}"
    reason = "other books"
    for mended in _subsets(case.faults):
        target = _target(case, mended)
        if all(_same(case, *pair) for pair in zip(repaired, target, strict=True)) or (
            bare and repaired[0].state.same(repaired[1].state)
        ):
            shown = [fault for fault in mended if _shows(case, fault)]
            reason = _story(shown, causes, entries, _changed(sides, target), bare=bare)
            if not reason:
                return "right", ""
    return "wrong", reason


def _target(case: Case, mended: Sequence[Fault]) -> tuple[Side, Side]:
    """Both sides without these faults.

    An exchange that is behind, or that cuts digits off, hides a false row of the ledger if its
    figures are the same with that row: mended, it has that row as well. Its figures are asked for
    then, and not its lists.
    """
    left = [fault for fault in case.faults if fault not in mended]
    ledger, exchange = case.sides(left)
    ledger = _as_far_as_shown(case, ledger, [fault.behind for fault in left if fault.behind])
    theirs = [fault for fault in mended if fault.side == "external"]
    if any(fault.name == "list_ends" for fault in theirs):
        exchange = replace(exchange, shown=replace(exchange.shown, movements=False))
    theirs = [fault for fault in theirs if fault.behind or fault.state]
    if any(fault.behind for fault in theirs):
        exchange = replace(exchange, shown=exchange.shown.figures_alone())
    believed = _side_of(case, ledger.books, theirs)
    if theirs and believed.state.same(case.sides()[1].state):
        shown = exchange.shown.figures_alone()
        exchange = replace(exchange, shown=shown, state=case.world.figures(ledger.books, shown))
    return ledger, exchange


def _as_far_as_shown(case: Case, ledger: Side, ends: Sequence[datetime]) -> Side:
    """The ledger without the lost fills that an exchange which is behind does not have either."""
    held = {row.id for row in case.sides()[0].listed.fills}

    def shown(books: Books) -> Books:
        fills = [row for row in books.fills if row.id in held or row.time <= min(ends)]
        return replace(books, fills=tuple(fills))

    if not ends:
        return ledger
    books = shown(ledger.books)
    state = case.world.figures(books, ledger.shown)
    return replace(ledger, books=books, listed=shown(ledger.listed), state=state)


def _side_of(case: Case, books: Books, faults: Sequence[Fault]) -> Side:
    """The exchange's side with these faults, if the books of the ledger were the true ones."""
    world = replace(case.world, books=books)
    return Case(world, ()).sides(faults)[1]


def _shows(case: Case, fault: Fault) -> bool:
    """True if the session would be another one without the fault."""
    return case.sides([other for other in case.faults if other is not fault]) != case.sides()


def _subsets(faults: Sequence[Fault]) -> Iterator[tuple[Fault, ...]]:
    for size in range(len(faults), 0, -1):
        yield from combinations(faults, size)


def _changed(sides: Sequence[Side], target: Sequence[Side]) -> set[str]:
    """The ids of rows that one of both lists has more often than the other, or at another time.

    A fee that two faults turn round is right again. Of rows of equal content each may stand for
    another one: where a copied row is merged with others, or the list ends before it or its copy.
    """
    found = set()
    for side, right in zip(sides, target, strict=True):
        for mine, other in ((side.listed, right.listed), (right.listed, side.listed)):
            more = _contents(_rows(mine)) - _contents(_rows(other))
            named = Counter((row.id, row.content) for row in _rows(mine))
            named -= Counter((row.id, row.content) for row in _rows(other))
            times = {row.id: row.time for row in _rows(other)}
            found |= {row_id for row_id, content in named if content in more}
            found |= {row.id for row in _rows(mine) if times.get(row.id, row.time) != row.time}
    return found


def _rows(books: Books) -> tuple[Fill | Movement, ...]:
    return (*books.fills, *books.movements)


def _story(
    mended: Sequence[Fault],
    causes: Sequence[Answer],
    entries: Sequence[Answer],
    changed: set[str],
    *,
    bare: bool,
) -> str:
    """Why the causes are not the faults that were mended, though the books are right."""
    booked = [cause for cause in causes if cause["kind"] not in {"alias", "multiplier"}]
    if all(entry["action"] in {"adjust_cash", "adjust_position"} for entry in entries):
        for cause in booked:
            kinds = {kind for fault in mended for kind in fault.kinds}
            if cause["kind"] not in kinds:
                return f"right figure, but not {cause['kind']}"
        if not bare and not any(_is(fault, cause) for fault in mended for cause in booked):
            return "right figure, other side"
        return ""
    touched = {
        value for entry in entries for name, value in entry["row"].items()
        if name in {"fill_id", "movement_id"}
    } | {row_id for cause in booked for row_id in cause["ids"]}  # fmt: skip
    ids = {
        row_id for fault in mended if fault.rows and not any("missing" in k for k in fault.kinds)
        for row_id in fault.ids & changed
    }  # fmt: skip
    if ids and not ids & touched:
        return f"a twin of {min(ids)}, which is not named"
    return ""


def _repaired(side: Side, entries: Sequence[Answer]) -> Side:
    """The side with the entries applied."""
    for entry in entries:
        side = _applied(side, entry["action"], entry["row"])
    return side


def _applied(side: Side, action: str, row: Mapping[str, str]) -> Side:
    books = side.listed
    if action == "add_fill":
        return replace(side, listed=replace(books, fills=(*books.fills, _fill(row))))
    if action == "add_movement":
        return replace(side, listed=replace(books, movements=(*books.movements, _movement(row))))
    if action == "remove_fill":
        fills = _without(books.fills, _fill(row))
        return replace(side, listed=replace(books, fills=fills))
    if action == "remove_movement":
        movements = _without(books.movements, _movement(row))
        return replace(side, listed=replace(books, movements=movements))
    amount = Decimal(row["amount"])
    if action == "adjust_opening":
        return replace(side, listed=_opening(books, row, amount))
    positions, cash = dict(side.state.positions), dict(side.state.cash)
    if action == "adjust_cash":
        cash[row["currency"]] = cash.get(row["currency"], D(0)) + amount
    else:
        key = (row["symbol"], row.get("leg", "NET"))
        positions[key] = positions.get(key, D(0)) + amount
    return replace(side, state=State(positions, cash))


def _opening(books: Books, row: Mapping[str, str], amount: Decimal) -> Books:
    if "currency" in row:
        held = books.cash.get(row["currency"], D(0))
        return replace(books, cash={**books.cash, row["currency"]: held + amount})
    key = (row["symbol"], row.get("leg", "NET"))
    quantity, price = books.positions.get(key, (D(0), D(0)))
    price = Decimal(row.get("average_price", price))
    return replace(books, positions={**books.positions, key: (quantity + amount, price)})


Row = TypeVar("Row", Fill, Movement)


def _without(rows: tuple[Row, ...], gone: Row) -> tuple[Row, ...]:
    for place, row in enumerate(rows):
        if row.id == gone.id and row.content == gone.content:
            return rows[:place] + rows[place + 1 :]
    raise _RefusedError(gone.id)


def _fill(row: Mapping[str, str]) -> Fill:
    return Fill(
        row["fill_id"],
        row["symbol"],
        row["side"],
        Decimal(row["quantity"]),
        Decimal(row["price"]),
        datetime.fromisoformat(row["time"]),
        Decimal(row["fee"]) if "fee" in row else None,
        row.get("fee_currency"),
        leg=row.get("leg", "NET"),
    )


def _movement(row: Mapping[str, str]) -> Movement:
    return Movement(
        row["movement_id"],
        row["kind"],
        datetime.fromisoformat(row["time"]),
        row.get("currency"),
        Decimal(row["amount"]) if "amount" in row else None,
        row.get("symbol"),
        Decimal(row["quantity"]) if "quantity" in row else None,
    )


def _same(case: Case, made: Side, true: Side) -> bool:
    """True if a repaired side shows what the true one does."""
    shown = true.shown
    dust = FLOAT_DUST if case.world.ledger.floats else D(0)
    stated = State(
        made.state.positions if shown.positions else {}, made.state.cash if shown.cash else {}
    )
    expected = State(
        true.state.positions if shown.positions else {}, true.state.cash if shown.cash else {}
    )
    if not stated.same(expected, dust):
        return False
    if shown.opening and not _same_opening(made.listed, true.listed):
        return False
    if shown.movements and _contents(made.listed.movements) != _contents(true.listed.movements):
        return False
    return not shown.fills or _same_fills(case, made.listed, true.listed, shown)


def _same_opening(made: Books, true: Books) -> bool:
    one = State({key: quantity for key, (quantity, _) in made.positions.items()}, made.cash)
    other = State({key: quantity for key, (quantity, _) in true.positions.items()}, true.cash)
    return one.same(other)


def _contents(rows: Sequence[Fill | Movement]) -> Counter[tuple[object, ...]]:
    return Counter(row.content for row in rows)


def _same_fills(case: Case, made: Books, true: Books, shown: Shown) -> bool:
    if shown.floats:
        made, true = _without_dust(made), _without_dust(true)
    seen = replace(true, fills=tuple(_unseen_price(case, row, true) for row in true.fills))
    if _contents(made.fills) in (_contents(true.fills), _contents(seen.fills)):
        return True
    more = _contents(made.fills) - _contents(true.fills)
    less = _contents(true.fills) - _contents(made.fills)
    added = [row for row in made.fills if row.content in more]
    lost = [row for row in true.fills if row.content in less]
    ids = {row.id for row in lost}
    is_named = all(row.id.startswith("repair-") or row.id in ids for row in added)
    if not is_named or _sums(added) != _sums(lost):
        return False
    world = case.world
    movements = true.movements if shown.movements else ()
    one, other = (
        replay(world.instruments, world.decimals, replace(books, movements=movements))
        for books in (made, true)
    )
    return one.same(other)


def _without_dust(books: Books) -> Books:
    fills = tuple(replace(row, fee=rounded(row.fee or D(0), 5)) for row in books.fills)
    return replace(books, fills=fills)


def _unseen_price(case: Case, row: Fill, true: Books) -> Fill:
    """The row as the ledger has it, where no figure shows its price: what it opened is open."""
    held = {other.id: other.price for other in case.sides()[0].listed.fills}
    if held.get(row.id, row.price) == row.price:
        return row
    false = replace(row, price=held[row.id])
    books = replace(true, fills=tuple(false if other is row else other for other in true.fills))
    world = case.world
    one, other = (replay(world.instruments, world.decimals, b) for b in (books, true))
    return false if one.same(other) else row


def _sums(rows: Sequence[Fill]) -> dict[tuple[object, ...], Decimal]:
    """Quantity, value and fees of rows by symbol, leg and side."""
    sums: dict[tuple[object, ...], Decimal] = {}
    for row in rows:
        key = (row.symbol, row.leg, row.side)
        fee = row.fee or D(0)
        for name, amount in (
            ("quantity", row.quantity),
            ("value", row.quantity * row.price),
            (row.fee_currency, fee),
        ):
            sums[*key, name] = sums.get((*key, name), D(0)) + amount
    return {key: amount for key, amount in sums.items() if amount}
