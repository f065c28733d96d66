"""A server that takes mail."""

import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from .ports import free_port


class Inbox:
    """The messages that were taken, in their order."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.port = free_port()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        """Take a message."""
        found = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.messages.append(found)
        return "250 OK"


@contextmanager
def smtp_server() -> Iterator[Inbox]:
    """Start a server on a port of its own."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=inbox.port)
    controller.start()
    try:
        yield inbox
    finally:
        controller.stop()
