"""A smaller session with the same wrong answer: rows, instruments and sections are left out."""

from collections.abc import Iterator
from dataclasses import replace

from .faults import Case
from .judge import Judgement, judged
from .ledger import Books
from .worlds import World


def shrunken(case: Case) -> Case:
    """The smallest case that is found by leaving out one thing after the other."""
    wanted = _signature(judged(case))
    smaller = True
    while smaller:
        smaller = False
        for candidate in _candidates(case):
            if candidate is not case and _is_kept(candidate, wanted):
                case, smaller = candidate, True
                break
    return case


def _signature(verdict: Judgement) -> tuple[object, ...]:
    return verdict.outcome, tuple(
        sorted(
            (cause["kind"], str(cause["side"]))
            for answer in verdict.answers if answer["verdict"] == "unique"
            for cause in answer["causes"]
        )
    )  # fmt: skip


def _is_kept(case: Case, wanted: tuple[object, ...]) -> bool:
    try:
        return _signature(judged(case)) == wanted
    except Exception:  # noqa: BLE001  # a fault that lost its row is no candidate
        return False


def _candidates(case: Case) -> Iterator[Case]:
    world, books = case.world, case.world.books
    if len(case.faults) > 1:
        for fault in case.faults:
            yield Case(world, tuple(other for other in case.faults if other is not fault))
    size = len(books.fills)
    for width in (size // 2, size // 4, 1):
        for start in range(0, size, width) if width else ():
            fills = books.fills[:start] + books.fills[start + width :]
            if fills:
                yield _with(case, replace(books, fills=fills))
    for row in books.movements:
        kept = tuple(other for other in books.movements if other is not row)
        yield _with(case, replace(books, movements=kept))
    for currency in books.cash:
        cash = {c: a for c, a in books.cash.items() if c != currency}
        yield _with(case, replace(books, cash=cash))
    for key in books.positions:
        positions = {k: v for k, v in books.positions.items() if k != key}
        yield _with(case, replace(books, positions=positions))
    used = {row.symbol for row in books.fills} | {symbol for symbol, _ in books.positions}
    for symbol in world.instruments.keys() - used:
        instruments = {s: t for s, t in world.instruments.items() if s != symbol}
        yield Case(replace(world, instruments=instruments), case.faults)
    yield from _fewer_sections(case)


def _fewer_sections(case: Case) -> Iterator[Case]:
    world = case.world
    for name in ("orders", "snapshots"):
        if getattr(world.exchange, name):
            shown = replace(world.exchange, **{name: 0 if name == "snapshots" else False})
            yield Case(replace(world, exchange=shown), case.faults)


def _with(case: Case, books: Books) -> Case:
    """The case with other books; rows that a fault names stay."""
    named = {row_id for fault in case.faults for row_id in fault.ids}
    if named & (_ids(case.world.books) - _ids(books)):
        return case
    world: World = replace(case.world, books=books)
    return Case(world, case.faults)


def _ids(books: Books) -> set[str]:
    return {row.id for row in books.fills} | {row.id for row in books.movements}
