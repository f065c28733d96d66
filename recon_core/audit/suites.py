"""Strategies of which one command judged several sessions: a suite, not one account."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Suites:
    """Takes the summaries of a log in their order.

    A strategy is followed as one thing from command to command, as a live account is, until a
    command judges two of its sessions; then each session is followed by itself.
    """

    _last: dict[str | None, object] = field(default_factory=dict)
    _found: set[str | None] = field(default_factory=set)

    def see(self, strategy_id: str | None, command: object) -> None:
        """Take a summary; `command` is its invocation, `None` where it is not known."""
        if command is not None and command == self._last.get(strategy_id):
            self._found.add(strategy_id)
        self._last[strategy_id] = command

    def __contains__(self, strategy_id: object) -> bool:
        """True if the sessions of a strategy are followed one by one."""
        return strategy_id in self._found
