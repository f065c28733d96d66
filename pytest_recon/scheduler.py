"""The scheduler of pytest-xdist for a run whose sessions are dealt to the workers.

Each worker collects its own items, and gets all of them to run as soon as it has, in their order.
It says that one of them is complete when its report is sent, which may carry matches of before it
(`pytest_recon.distributed`): these are complete with it. What ran is known here by node id: a
worker in the place of one that died runs only what is left. The first item that was not complete
when a worker died counts as run, and pytest-xdist reports it as failed.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

import pytest

from pytest_recon.shares import Shares


class SessionScheduling:
    """A scheduler as pytest-xdist calls it; `nodes` are its workers."""

    def __init__(self, shares: Shares, session: pytest.Session) -> None:
        self._shares, self._session = shares, session
        self.config = session.config  # other plugins look for it
        self._collected: dict[Any, list[str]] = {}
        self._pending: dict[Any, dict[int, None]] = {}
        self._ran: set[str] = set()

    @property
    def nodes(self) -> list[Any]:
        """The workers that are ready."""
        return list(self._pending)

    @property
    def collection_is_completed(self) -> bool:
        """True if there is anything to schedule: a worker waits for no other."""
        return bool(self._collected)

    @property
    def has_pending(self) -> bool:
        """True if a worker has items to run."""
        return any(self._pending.values())

    @property
    def tests_finished(self) -> bool:
        """True if every share has a worker that has run all of it."""
        is_whole = not self._shares.orphaned and self._shares.of.keys() <= self._collected.keys()
        return is_whole and not self.has_pending

    def add_node(self, node: Any) -> None:
        """Take a worker that is ready to collect."""
        self._pending[node] = {}

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Take the items that a worker collected."""
        self._collected[node] = list(collection)
        self._pending[node] = {
            place: None for place, each in enumerate(collection) if each not in self._ran
        }
        # Of all workers: pytest shows how far the run is.
        collected = {each for ids in self._collected.values() for each in ids}
        self._session.testscollected = len(collected)

    def schedule(self) -> None:
        """Give each worker that has collected its items, and no more."""
        for node in self._collected:
            if node in self._pending and not node.shutting_down:
                if len(self._pending[node]) == len(self._collected[node]):
                    node.send_runtest_all()
                else:
                    node.send_runtest_some(list(self._pending[node]))
                node.shutdown()

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:  # noqa: ARG002  # as xdist calls it
        """Note that an item ran, and every item before it."""
        pending, collected = self._pending[node], self._collected[node]
        while pending:
            place = next(iter(pending))
            del pending[place]
            self._ran.add(collected[place])
            if place == item_index:
                break

    def remove_node(self, node: Any) -> str | None:
        """Forget a worker; return its first incomplete item, `None` where it had ended."""
        pending = self._pending.pop(node)
        if not pending:
            return None
        crashed = self._collected[node][next(iter(pending))]
        self._ran.add(crashed)
        return crashed

    def mark_test_pending(self, item: str) -> NoReturn:
        """Refuse to run an item again: a comparison is judged once."""
        raise NotImplementedError(item)

    def remove_pending_tests_from_node(self, node: Any, indices: Sequence[int]) -> NoReturn:
        """Refuse to take items back: a worker has the sessions that it read."""
        raise NotImplementedError(node, indices)
