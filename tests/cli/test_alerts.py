"""`recon alert`: each finding is sent once, to real servers by the real apprise."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recon_core.audit.alerts import sending
from recon_core.audit.alerts.delivery import targets_of
from recon_core.audit.alerts.sending import Alerting, read_alerts
from recon_core.audit.alerts.sent_alerts import Fate, alert_entry
from recon_core.audit.alerts.throttle import Throttle
from recon_core.audit.log import AuditLog
from recon_core.model import LedgerSide
from recon_core.model.comparison import ReconDiff
from recon_core.model.explanation import (
    Cause,
    CauseKind,
    Effect,
    Explanation,
    ExplanationVerdict,
)
from recon_core.model.summary import summarise
from recon_core.model.waivers import WaiverState, WaiverUse
from recon_core.values.severity import Severity
from tests.servers.http import Posted, http_server
from tests.servers.ports import free_port
from tests.servers.smtp import smtp_server

from .conftest import Recon

pytest.importorskip("apprise", reason="apprise, of the extra alerts, is not installed")

LOG = Path("audit.jsonl")
ALERT = ("alert", "--json", LOG)
TOKEN = "s3cr3t-t0ken"  # noqa: S105  # of no service
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[Posted]:
    """One server for all tests."""
    with http_server() as server:
        yield server


@pytest.fixture(autouse=True)
def posted(server: Posted, monkeypatch: pytest.MonkeyPatch) -> Posted:
    """The server, empty, as the only target."""
    server.status, server.bodies, server.paths = 200, [], []
    monkeypatch.setenv("RECON_ALERT_URLS", f"json://desk:{TOKEN}@{server.address}/{TOKEN}")
    return server


def diff(
    delta: str | None = "5.00",
    severity: Severity = Severity.FAIL,
    key: str = "EUR",
    *,
    causes: tuple[CauseKind, ...] = (),
    verdict: ExplanationVerdict = ExplanationVerdict.UNIQUE,
    waivers: tuple[WaiverUse, ...] = (),
) -> ReconDiff:
    """A difference of a balance."""
    side, text = LedgerSide.INTERNAL, "a fee is missing"
    found = [Cause(each, side, (), Effect({}, {}), text) for each in causes]
    explanation = Explanation(
        verdict, side, tuple(found), Effect({}, {}), (), text, "", "", 0, ()
    )  # fmt: skip
    amount = None if delta is None else Decimal(delta)
    return ReconDiff(
        "d", None, "CASH", severity, key, "cash differs", delta=amount, unit="EUR",
        explanation=explanation if causes else None, waivers=waivers,
    )  # fmt: skip


def judged(*diffs: ReconDiff, session: str = "day", ran: int = 3, command: str = "") -> None:
    """Append a run of a session to the log."""
    invocation = command or f"command-{len(LOG.read_bytes()) if LOG.exists() else 0}"
    summary = summarise(diffs, session, "desk", comparisons=3, ran=ran, invocation_id=invocation)
    AuditLog(LOG).append_recon_summary(summary, diffs)


def waiver(state: WaiverState) -> WaiverUse:
    """A waiver that names a difference."""
    day, severity = date(2026, 12, 31), Severity.FAIL
    return WaiverUse("w", "ops@desk", "ticket", day, 9, state, severity, "f", "text")


def alerts() -> list[dict[str, Any]]:
    """The details of the alerts in the log."""
    entries = AuditLog(LOG).get_entries_by_event_type("RECON_ALERT")
    return [dict(entry.details) for entry in entries]


def test_a_finding_is_sent_once(recon: Recon, posted: Posted) -> None:
    """With what, where, why and whom to ask; the log knows it, and is whole."""
    judged(diff(causes=(CauseKind.MISSING_FEE,)), diff("1", Severity.WARN, "USD"))
    words = ("--owner", "ops@desk", "--report", "https://ci.example/7")
    answer = recon(*ALERT, *words)
    assert (answer.code, answer.out, answer.err) == (0, "RECON_ALERT_URLS: 1 new\n", "")
    (body,) = posted.bodies
    assert (body["title"], body["type"]) == ("recon: 1 new", "failure")
    assert body["message"] == (
        "new FAIL day cash EUR +5.00 EUR: a fee is missing (owner ops@desk)\n"
        "report: https://ci.example/7"
    )
    judged(diff(causes=(CauseKind.MISSING_FEE,)))
    assert recon(*ALERT).out == "RECON_ALERT_URLS: nothing new\n"
    assert len(posted.bodies) == 1
    assert [each["fate"] for each in alerts()] == ["sending", "delivered"]
    assert recon("audit", "verify", "--json", LOG).code == 0
    assert recon("audit", "summary", "--json", LOG, "--exit-on-findings").code == 2


FEE, FILL = (CauseKind.MISSING_FEE,), (CauseKind.MISSING_FILL,)


@pytest.mark.parametrize(
    ("before", "after", "news"),
    [
        (diff("5.00"), diff("5.00"), None),
        (diff("5.00"), diff("5.49"), None),
        (diff("5.00"), diff("5.50"), "grew"),
        (diff("-5.00"), diff("-5.50"), "grew"),
        (diff("5.00"), diff("-5.00"), "changed"),
        (diff("5.00"), diff("1.00"), None),
        (diff("5.00"), diff(None), None),
        (diff(None), diff("0.01"), "grew"),
        (diff(None), diff(None), None),
        (diff("5.00"), diff("5.00", Severity.CRITICAL), "grew"),
        (diff("5.00", Severity.CRITICAL), diff("5.00"), None),
        (diff(causes=FEE), diff(causes=FEE), None),
        (diff(causes=FEE), diff(causes=FILL), "changed"),
        (diff(causes=FEE), diff(), None),
        (diff(), diff(causes=FEE), "changed"),
        (diff(causes=FEE), diff(causes=FILL, verdict=ExplanationVerdict.AMBIGUOUS), None),
        (diff("5.00"), diff("5.00", Severity.WARN), "lower"),
        (diff("5.00"), diff("5.00", Severity.WAIVED), "waived"),
        (diff("5.00"), None, "resolved"),
        (diff("5.00", Severity.WARN), diff("5.00", Severity.WARN), None),
        (diff("5.00", Severity.WARN), None, None),
        (diff("5.00", Severity.WARN), diff("5.00"), "new"),
    ],
)
def test_only_news_is_sent(before: ReconDiff, after: ReconDiff | None, news: str | None) -> None:
    """A tenth more, another sign, another proven cause, a higher severity, or that it is over."""
    judged(before)
    alerting = Alerting(Throttle(Severity.FAIL, timedelta(days=1), datetime.now(UTC)))
    (first,) = alerting.outlook(LOG, ["DESK"])
    AuditLog(LOG).append(alert_entry("DESK", Fate.DELIVERED, first.news))
    judged(*([] if after is None else [after]))
    (second,) = alerting.outlook(LOG, ["DESK"])
    assert [str(each.kind) for each in second.news] == [news] * (news is not None)


def test_what_is_still_open_is_said_again_after_the_interval(recon: Recon, posted: Posted) -> None:
    """Where a new run has it; the interval counts from the last message."""
    judged(diff())
    recon(*ALERT)
    assert "nothing new" in recon(*ALERT, "--interval", "0m").out
    judged(diff())
    assert "nothing new" in recon(*ALERT, "--interval", "1m").out
    assert "1 still open" in recon(*ALERT, "--interval", "0m").out
    assert len(posted.bodies) == 2


def test_what_is_over_is_said_once(recon: Recon, posted: Posted) -> None:
    """By a complete run alone: one that did not look cannot know."""
    judged(diff(), diff(key="USD", waivers=(waiver(WaiverState.EXCEEDED),)))
    recon(*ALERT)
    judged(ran=2)
    assert "1 new" in recon(*ALERT).out
    assert "day run incomplete: the run is incomplete: 2 of 3" in posted.bodies[-1]["message"]
    judged(diff(key="USD", severity=Severity.WAIVED, waivers=(waiver(WaiverState.USED),)))
    assert "1 waived, 2 resolved" in recon(*ALERT).out
    assert posted.bodies[-1]["type"] == "success"
    assert posted.bodies[-1]["message"].splitlines() == [
        "resolved day cash EUR",
        "resolved day run incomplete",
        "waived day cash USD (owner ops@desk)",
    ]
    assert "nothing new" in recon(*ALERT).out
    judged(diff())
    assert "1 new" in recon(*ALERT).out


WAIVED = diff(severity=Severity.WAIVED, waivers=(waiver(WaiverState.USED),))


@pytest.mark.parametrize(
    ("after", "news"), [(WAIVED, "nothing new"), (None, "1 resolved"), (diff(), "1 new")]
)
def test_what_is_waived_is_followed_to_its_end(
    recon: Recon, after: ReconDiff | None, news: str
) -> None:
    """It is said once, then that it is over, or that no waiver covers it any more."""
    judged(diff())
    recon(*ALERT)
    judged(WAIVED)
    assert "1 waived" in recon(*ALERT).out
    judged(*([] if after is None else [after]))
    assert recon(*ALERT).out == f"RECON_ALERT_URLS: {news}\n"
    assert recon(*ALERT).out == "RECON_ALERT_URLS: nothing new\n"


def test_a_live_account_is_one_thing_from_day_to_day(recon: Recon) -> None:
    """Sessions of another name, a command each: the same finding, then its end."""
    judged(diff(), session="monday")
    recon(*ALERT)
    judged(diff(), session="tuesday")
    assert "nothing new" in recon(*ALERT).out
    judged(session="wednesday")
    assert "1 resolved" in recon(*ALERT).out


def test_sessions_of_a_suite_are_followed_one_by_one(recon: Recon) -> None:
    """What one has is no news of another."""
    for session in ("a", "b"):
        judged(diff(), session=session, command="one")
    assert "2 new" in recon(*ALERT).out
    judged(diff(), session="a", command="two")
    judged(session="b", command="two")
    assert "1 resolved" in recon(*ALERT).out


def test_a_failed_delivery_is_said_and_tried_again(recon: Recon, posted: Posted) -> None:
    """It changes no exit code but of one who asks for it, and its secret is in no output."""
    judged(diff())
    posted.status = 500
    first = recon(*ALERT)
    assert (first.code, first.out) == (0, "RECON_ALERT_URLS: 1 new, not delivered\n")
    assert first.err == "recon: RECON_ALERT_URLS: was not delivered: answer 500\n"
    assert recon(*ALERT, "--exit-on-failure").code == 1
    posted.status = 200
    assert recon(*ALERT).out == "RECON_ALERT_URLS: 1 new\n"
    assert "nothing new" in recon(*ALERT).out
    assert "may repeat" not in posted.bodies[-1]["message"]
    assert TOKEN.encode() not in LOG.read_bytes()


def test_each_target_has_its_own_memory(
    recon: Recon, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is down is tried again, and the other one is left in peace."""
    judged(diff())
    nobody = f"json://127.0.0.1:{free_port()}/{TOKEN}"
    monkeypatch.setenv("PAGER", f"{nobody}\njson://{posted.address}/pager")
    monkeypatch.setenv("DESK", f"json://{posted.address}/desk")
    words = (*ALERT, "--to", "PAGER", "--to", "DESK")
    answer = recon(*words, "--format", "json")
    assert answer.err == "recon: PAGER: was not delivered\n"
    found = [(each["target"], each["problem"]) for each in answer.json["items"]]
    assert found == [("PAGER", "was not delivered"), ("PAGER#2", ""), ("DESK", "")]
    assert answer.json["items"][2]["items"][0]["delta"] == "5.00"
    assert posted.paths == ["/pager", "/desk"]
    monkeypatch.setenv("PAGER", f"json://{posted.address}/pager1\njson://{posted.address}/pager")
    recon(*words)
    assert posted.paths == ["/pager", "/desk", "/pager1"]


def test_a_sender_that_was_stopped_loses_nothing(
    recon: Recon, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody knows whether its message arrived: it is sent again, and says so."""
    judged(diff())

    def stopped(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(sending, "deliver", stopped)
        assert recon(*ALERT).code == 130
    assert "1 new" in recon(*ALERT).out
    assert "This may repeat a message" in posted.bodies[-1]["message"]
    assert "nothing new" in recon(*ALERT).out


def test_senders_wait_for_each_other(posted: Posted) -> None:
    """Several at the same moment send one message."""
    judged(diff())
    alerting = Alerting(Throttle(Severity.FAIL, timedelta(days=1), datetime.now(UTC)))
    targets = targets_of(["RECON_ALERT_URLS"])
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: alerting.send(LOG, targets), range(4)))
    assert sorted(len(outcome.news) for (outcome,) in found) == [0, 0, 0, 1]
    assert len(posted.bodies) == 1


def test_mail_arrives(recon: Recon, monkeypatch: pytest.MonkeyPatch) -> None:
    """The title is its subject; what a session is called is text in it, and no markup."""
    judged(diff(), session="<b>day</b>")
    with smtp_server() as inbox:
        where = f"mailto://127.0.0.1:{inbox.port}?mode=insecure&from=recon@bot.example"
        for variable, form in (("MAIL", "text"), ("PAGE", "html")):
            monkeypatch.setenv(variable, f"{where}&to=desk@desk.example&format={form}")
            assert recon(*ALERT, "--to", variable).out == f"{variable}: 1 new\n"
    mail, page = inbox.messages
    assert "&lt;b&gt;day&lt;/b&gt;" in page.get_body(("html",)).get_content()  # type: ignore[union-attr]  # it has one
    assert (mail["Subject"], mail["To"]) == ("recon: 1 new", "desk@desk.example")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "new FAIL <b>day</b> cash EUR +5.00 EUR: cash differs" in body.get_content()


def test_a_message_lists_the_most_urgent(recon: Recon, posted: Posted) -> None:
    """And says how many it leaves out."""
    judged(*(diff(key=f"C{at:02}") for at in range(30)), diff(None, Severity.CRITICAL, "Z"))
    recon(*ALERT)
    lines = posted.bodies[0]["message"].splitlines()
    assert lines[0].startswith("new CRITICAL day cash Z")
    assert (len(lines), lines[-1]) == (21, "and 11 more")


def test_a_dry_run_sends_and_records_nothing(recon: Recon, posted: Posted) -> None:
    """It prints what would be sent."""
    judged(diff())
    before = LOG.read_bytes()
    answer = recon(*ALERT, "--dry-run", "--to", "NOBODY")
    assert answer.out.startswith("NOBODY: 1 new\nnew FAIL day cash EUR +5.00 EUR")
    assert (posted.bodies, LOG.read_bytes()) == ([], before)


@pytest.mark.parametrize(
    ("url", "words", "code", "parts"),
    [
        (None, (), 1, ("RECON_ALERT_URLS: is not set", "apprise")),
        (f"nothing://{TOKEN}", (), 1, ("RECON_ALERT_URLS: is no URL that apprise knows",)),
        ("json://a", ("--interval", "1 week"), 64, ("--interval '1 week'", "30m, 12h or 7d")),
        ("json://a", ("--json", "none.jsonl"), 1, ("none.jsonl: there is no such file",)),
        ("json://a", ("--json", "-"), 1, ("no audit log is named",)),
    ],
)
def test_mistakes_are_said_in_one_line(
    recon: Recon,
    monkeypatch: pytest.MonkeyPatch,
    url: str | None,
    words: tuple[str, ...],
    code: int,
    parts: tuple[str, ...],
) -> None:
    """Without what the variable holds."""
    judged(diff())
    monkeypatch.setenv("RECON_ALERT_URLS", url or "")
    answer = recon(*ALERT, *words)
    answer.refused(code, *parts)
    assert TOKEN not in answer.err


def test_a_target_that_is_not_usable_silences_no_other(
    recon: Recon, posted: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, and ends with 1: nobody would be alerted there, ever."""
    judged(diff())
    monkeypatch.setenv("PAGER", f"nothing://{TOKEN}")
    answer = recon(*ALERT, "--to", "PAGER", "--to", "GONE", "--to", "RECON_ALERT_URLS")
    assert (answer.code, answer.out) == (1, "RECON_ALERT_URLS: 1 new\n")
    assert answer.err.splitlines() == [
        "recon: PAGER: is no URL that apprise knows; expected one such as slack://… or mailto://…",
        "recon: GONE: is not set; expected URLs of apprise in it",
    ]
    assert len(posted.bodies) == 1


def test_a_damaged_log_sends_nothing(recon: Recon, posted: Posted) -> None:
    """It may hide what is wrong, and nothing could be recorded."""
    judged(diff())
    LOG.write_bytes(LOG.read_bytes().replace(b'"FAIL"', b'"WARN"', 1))
    recon(*ALERT).refused(1, "its hash does not fit its content")
    assert posted.bodies == []


def test_without_apprise_one_line_says_what_to_install(
    recon: Recon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra by name."""
    judged(diff())
    monkeypatch.setattr("recon_core.audit.alerts.delivery.find_spec", lambda _: None)
    recon(*ALERT).refused(1, "apprise", "pytest-recon[alerts]")


def test_an_alert_of_another_form_is_refused(recon: Recon) -> None:
    """Whoever wrote it: what was sent is not known then."""
    judged(diff())
    entry = alert_entry("RECON_ALERT_URLS", Fate.DELIVERED)
    details = {**entry.details, "items": [{"news": "new"}]}
    AuditLog(LOG).append(type(entry)(entry.event_type, details))
    recon(*ALERT).refused(1, "items: is not as recon alert writes it")


def test_the_outlook_of_an_empty_trail_is_no_news() -> None:
    """Entries of other kinds are passed over."""
    AuditLog(LOG).append(type(alert_entry("", Fate.SENDING))("ORDER_EVENT", {"target": "x"}))
    found, sent = read_alerts(LOG)
    assert (list(found.newest()), sent.unknown) == ([], set())
