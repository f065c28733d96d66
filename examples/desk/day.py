"""A day at the desk: an account is watched, a fault appears, is alerted, waived and repaired.

    python day.py

Everything is on this machine and gone afterwards: a paper exchange, a bot, the server that takes
the alerts. Needs `pip install 'pytest-recon[exchange,alerts,sql]'`.
"""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from bot import Bot
from paper_exchange import PaperExchange, serving, settings_of

CASH = Decimal("10000.00")
RUN = (
    "recon run binance day/session.recon.json --account paper --settings paper.json --pause 1s "
    "--audit-log audit.jsonl --alert RECON_ALERT_URLS"
)
WAIVE = "recon baseline write --json audit.jsonl --owner ops@desk --expires 1d"
OPEN = "SELECT severity, COUNT(*), owner, cause FROM recon_open_differences GROUP BY 1, 3, 4"


class Desk:
    """Types commands in a directory, and says what became of them."""

    def __init__(self, directory: Path, pager: list[str]) -> None:
        self.directory, self.pager = directory, pager
        self.environment = {
            **os.environ,
            "COLUMNS": "200",
            "NO_COLOR": "1",
            "RECON_PAPER_API_KEY": "paper",
            "RECON_PAPER_SECRET": "paper",
        }
        (directory / "pytest.ini").touch()  # a project of its own, without settings

    def types(self, command: str, *shown: str, status: int = 0) -> None:
        """Type a command; print its lines that begin with one of `shown`."""
        print(f"  $ {command}")
        self._call(command, shown, status)

    def runs(self, *shown: str, status: int = 0) -> None:
        """Type the command of the cron job, in short."""
        print(f"  $ {RUN.partition(' --')[0]} ...")
        self._call(RUN, shown, status)

    def _call(self, command: str, shown: tuple[str, ...], status: int) -> None:
        words = [sys.executable, "-m", "recon_core.cli", *shlex.split(command)[1:]]
        done = subprocess.run(  # noqa: S603  # the words are those of this file
            words,
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [line.strip() for line in (done.stdout + done.stderr).splitlines()]
        for line in lines:
            if line.startswith(shown):
                print(f"    {line}")
        if done.returncode != status:
            sys.exit("\n".join([*lines, f"day: expected status {status}, got {done.returncode}"]))

    def reads_the_pager(self) -> None:
        """Print what was alerted since the last time."""
        print(f"  pager: {self.pager.pop(0).splitlines()[0] if self.pager else 'silent'}")

    def asks_the_database(self) -> None:
        """Load the audit log into SQLite, and ask what is open."""
        self.types("recon audit load sqlite:///audit.db --json audit.jsonl")
        with closing(sqlite3.connect(self.directory / "audit.db")) as database:
            rows = database.execute(OPEN).fetchall()
        print(f"  open: {rows or 'nothing'}")


@contextmanager
def alert_server(pager: list[str]) -> Iterator[str]:
    """Take alerts as JSON over HTTP; yields the URL that apprise knows."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pager.append(f"{body['title']}: {body['message']}")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"json://127.0.0.1:{server.server_port}"
        server.shutdown()


def step(text: str) -> None:
    """Begin a step of the day."""
    print(f"\n{text}", flush=True)


def main(directory: Path) -> None:
    """Live through the day in a directory that is empty."""
    exchange, pager, day = PaperExchange(CASH), list[str](), directory / "day"
    with serving(exchange) as address, alert_server(pager) as url:
        settings = settings_of(address)
        (directory / "paper.json").write_text(json.dumps(settings), encoding="utf-8")
        desk, bot = Desk(directory, pager), Bot(settings, CASH)
        desk.environment["RECON_ALERT_URLS"] = url

        step("Morning: the bot trades three times; ledger and exchange agree.")
        for side, quantity in (("buy", "0.02"), ("buy", "0.05"), ("sell", "0.03")):
            bot.trade(side, quantity)
        bot.record(day)
        desk.types(RUN, "RECON:")
        desk.reads_the_pager()

        step("Noon: an order is filled, its answer is lost; the bot books nothing.")
        exchange.lose_next_answer = True
        bot.trade("buy", "0.01")
        bot.record(day)
        desk.runs("Cause", "RECON:", status=2)
        desk.reads_the_pager()

        step("The desk knows, and answers for it until tomorrow: a waiver for each difference.")
        desk.types(
            "recon baseline write --json audit.jsonl --owner ops@desk --expires 1d", "recon-"
        )
        bot.record(day)
        desk.runs("RECON:")
        desk.reads_the_pager()
        desk.asks_the_database()

        step("Evening: the entry that repairs the ledger, and the bot books it.")
        desk.types("recon repair day/session.recon.json -o repair.json", "bot:")
        entries = json.loads((directory / "repair.json").read_text(encoding="utf-8"))["entries"]
        for entry in entries:
            bot.book(**{name: value for name, value in entry["row"].items() if name != "copies"})
        bot.record(day)
        desk.runs("recon: waivers recon-", "RECON:")
        desk.reads_the_pager()
        desk.asks_the_database()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="recon-desk-") as place:
        main(Path(place))
