"""The answers of `recon audit` as a person reads them: blocks of plain text, safe to print."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from recon_core.audit.commands import Command
from recon_core.audit.query import Answer, Item
from recon_core.audit.trend import key_of
from recon_core.model.escalation import escalation_text
from recon_core.reports.side_names import SideNames
from recon_core.reports.text import UNREADABLE
from recon_core.reports.wording import counted
from recon_core.values.printable import printable
from recon_core.values.severity import Severity

_MOST_CHANGES: Final = 10
"""Changes of a policy that one line lists; more are counted."""
_MOST_CLEAN: Final = 5
"""Sessions without a diff that a command names; 200 of them are one line."""
_LABEL: Final = 10
"""Characters of a column of labels at least, so that the tables of several runs align."""
# The figures of a diff of ours, in the order in which a person checks them.
_FIGURES: Final = ("internal", "external", "delta", "drift", "tolerance")
_SIDES: Final = {"internal": "ledger", "external": "exchange"}


def summary_text(answer: Answer) -> Iterator[str]:
    """A block per command with its verdict, one per run that is not clean, and their number.

    A foreign run, which is of no command, has a block in any case.
    """
    if not answer.items:
        yield f"{answer.empty_text}."
        return
    with_diffs = 0
    for name, runs in groupby(answer.items, _command):
        command, blocks = Command(name), []
        for item in runs:
            with_diffs += bool(item.get("total_diffs"))
            if not name:
                yield "\n".join(_run_lines(item))
            elif not command.add(item):
                blocks.append("\n".join(_run_lines(item)))
        if name:
            yield "\n".join(_command_lines(command))
            yield from blocks
    total = f"{counted(len(answer.items), 'run')}, {with_diffs} with diffs"
    yield "\n".join([total, *note_lines(answer)])


def _command(item: Item) -> str:
    return str(item.get("invocation_id") or "")


def _command_lines(command: Command) -> list[str]:
    found = {name: count for name, count in command.counts.items() if name != Severity.INFO}
    figures = f": {counts_text(found)}" if found else ""
    verdict = f"{command.verdict}{figures} in {counted(command.sessions, 'session')}"
    facts = [("time", printable(command.time)), ("verdict", verdict)]
    if command.clean:
        more = len(command.clean) - _MOST_CLEAN
        names = ", ".join(printable(each, 60) for each in command.clean[:_MOST_CLEAN])
        count = counted(len(command.clean), "session")
        facts.append(("clean", f"{count}: {names}" + (f" and {more} more" if more > 0 else "")))
    return [f"Command {printable(command.name)}", *_labelled(facts)]


def diffs_text(answer: Answer) -> Iterator[str]:
    """A block per diff, and how many there are of each severity."""
    if not answer.items:
        yield f"{answer.empty_text}."
        return
    counts: Counter[str] = Counter()
    for item, order in zip(answer.items, answer.order_ids, strict=True):
        counts[str(item["severity"])] += 1
        yield "\n".join(_diff_lines(item, order))
    total = f"{counted(len(answer.items), 'diff')}: {counts_text(counts)}"
    yield "\n".join([total, *note_lines(answer)])


def detailed_text(answer: Answer) -> Iterator[str]:
    """The summary of one run, then each of its diffs in full."""
    if answer.run is None:
        yield f"{answer.empty_text}."
        return
    if answer.summary is None:
        yield "\n".join([f"Run {printable(answer.run.run_id)}", "  it has no summary"])
    else:
        yield "\n".join(_run_lines(answer.summary))
    for item, order in zip(answer.items, answer.order_ids, strict=True):
        yield "\n".join(_full_lines(item, order))
    shown = counted(len(answer.items), "diff") if answer.items else f"{answer.empty_text}."
    yield "\n".join([shown, *note_lines(answer)])


def note_lines(answer: Answer) -> list[str]:
    """Return the notes of an answer that its text does not say, a line each."""
    return [f"note: {printable(note, 500)}" for note in answer.notes if note != answer.empty_text]


def counts_text(counts: object) -> str:
    """`2 FAIL, 1 WARN`, the worst first."""
    if not isinstance(counts, dict):
        return ""
    order = [str(severity) for severity in reversed(Severity)]
    known = [name for name in order if counts.get(name)]
    # A severity that is not known here may be worse than any.
    others = sorted(name for name in counts if name not in order and counts[name])
    return ", ".join(f"{printable(counts[name])} {printable(name, 60)}" for name in others + known)


def shown_key(key: str) -> str:
    """`position BTC/EUR`: the two colons of the key would be a command to a CI runner."""
    return printable(key.replace("::", " ", 1))


def _run_lines(item: Item) -> list[str]:
    return [f"Run {printable(item.get('run_id'))}", *_labelled(_run_facts(item))]


def _run_facts(item: Item) -> Iterator[tuple[str, str]]:
    """Yield the fields of the runbook's summary, and this project's figures where there are any."""
    yield "time", printable(item["timestamp"])
    yield "session", printable(item.get("session_id"))
    yield "strategy", printable(item.get("strategy_id") or "none")
    yield "diffs", _diffs_of_run(item)
    has_none = item.get("total_diffs") == 0
    yield "maximum", "match" if has_none else printable(item.get("max_severity") or "unknown")
    yield "flags", f"critical {_yes(item.get('has_critical'))}, fail {_yes(item.get('has_fail'))}"
    if item.get("comparisons") is not None:
        yield "ran", f"{printable(item.get('ran'))}/{printable(item['comparisons'])}"
    yield "escalation", _escalation(item)
    if isinstance(item.get("waivers"), dict) and item["waivers"]:
        yield "waivers", ", ".join(_waivers(item["waivers"]))
    if item.get("mirrored"):
        yield "mirrored", "yes: the exchange was a copy of the ledger"
    if isinstance(item.get("policy_changed"), dict):
        yield "policy", _policy_text(item["policy_changed"])
    yield from (("note", _said(note)) for note in _list(item.get("notes")))


def _diffs_of_run(item: Item) -> str:
    parts = [printable(item.get("total_diffs"))]
    figures = [counts_text(item.get(f"counts_by_{kind}")) for kind in ("severity", "type")]
    if any(figures):
        parts.append("; ".join(figure for figure in figures if figure))
    return ": ".join(parts)


def _escalation(item: Item) -> str:
    given = _list(item.get("escalation"))
    if given:
        return printable("; ".join(map(str, given)), 500)
    counts = item.get("counts_by_severity")
    known = counts if isinstance(counts, dict) else {}
    # A foreign summary does not say it; the runbook's matrix does. A severity that is not
    # known here asks for as much as the worst.
    found = {severity: known.get(severity, 0) for severity in Severity}
    found[Severity.CRITICAL] += sum(known[name] for name in known if name not in found)
    return escalation_text(found)


def _policy_text(changed: Mapping[str, Any]) -> str:
    changes = [
        f"{name} {_value(before)} -> {_value(after)}"
        for name, (before, after) in changed["changes"].items()
    ]
    more = len(changes) - _MOST_CHANGES
    listed = ", ".join(changes[:_MOST_CHANGES]) + (f" and {more} more" if more > 0 else "")
    since = printable(changed["since_run"])
    return f"changed since run {since}" + (f": {printable(listed, 2000)}" if listed else "")


def _diff_lines(item: Item, order: str) -> list[str]:
    severity = printable(item["severity"])
    about = [f"diff {printable(item.get('diff_id'))}", *_state(item, order)]
    run = [f"run {printable(item.get('run_id'))}"]
    if item.get("session_id"):
        run.append(f"session {printable(item['session_id'])}")
    head = f"{severity} {printable(item.get('diff_type'), 60)}  {printable(item['timestamp'])}"
    description = _description(item)
    why = [f"  why: {_why(item)}"] if _why(item) else []
    return [head, f"  {description}", *why, f"  {', '.join(about)}", f"  {', '.join(run)}"]


def _description(item: Item) -> str:
    """Return the description of a diff; that of a file that cannot be read names its keys."""
    text = item.get("description") or "no description"
    return printable(text, 500) if key_of(item) == UNREADABLE else _said(text)


def _said(text: object) -> str:
    """Return a text of a log with the usual names of the sides: it has no sources."""
    return SideNames().said(printable(text, 500))


def _why(item: Item) -> str:
    """The explanation of a diff in a sentence, empty where the log holds none."""
    found = item.get("explanation")
    if not isinstance(found, dict) or not found.get("verdict"):
        return ""
    causes = _list(found.get("causes"))
    first = causes[0].get("text") if causes and isinstance(causes[0], dict) else None
    more = f"; and {counted(len(causes) - 1, 'more cause')}" if len(causes) > 1 else ""
    said = SideNames().said(printable(first or found.get("text") or "no cause", 1000))
    return f"{printable(found['verdict'], 60)}: {said}{more}"


def _waiver(use: object) -> str:
    """A waiver that names a diff: `used: w1 until 2026-12-31, ops@desk: ticket 812`."""
    if not isinstance(use, dict):
        return _value(use)
    state, name, day, owner, reason = (
        printable(use.get(field), 500) for field in ("state", "id", "expires", "owner", "reason")
    )
    return f"{state}: {name} until {day}, {owner}: {reason}"


def _waivers(by_state: Mapping[str, object]) -> Iterator[str]:
    """Yield `2 used` for each state of the waivers of a session."""
    for state, ids in by_state.items():
        yield f"{len(_list(ids))} {printable(state, 60)}"


def _state(item: Item, order: str) -> list[str]:
    order_id = item.get("order_id") or order
    order_text = [f"order {printable(order_id)}"] if order_id else []
    return [*order_text, "resolved" if item.get("resolved") else "unresolved"]


def _full_lines(item: Item, order: str) -> list[str]:
    head = f"{printable(item['severity'])} {shown_key(key_of(item))}"
    return [head, *_labelled(_diff_facts(item, order))]


def _diff_facts(item: Item, order: str) -> Iterator[tuple[str, str]]:
    yield "what", _description(item)
    unit = f" {printable(item['unit'], 60)}" if item.get("unit") else ""
    has_figures = item.get("delta") is not None
    for name in _FIGURES if has_figures else ():
        if item.get(name) not in (None, ""):
            amount = unit if name in ("internal", "external", "delta") else ""
            label = name if item.get("diff_type") == "LEDGER" else _SIDES.get(name, name)
            yield label, f"{printable(item[name])}{amount}"
    if not has_figures and isinstance(item.get("diff_details"), dict):
        for name, value in item["diff_details"].items():
            yield printable(name, 60).replace("_", " "), _value(value)
    yield from (("note", _said(note)) for note in _list(item.get("notes")))
    if _why(item):
        yield "why", _why(item)
    yield from (("waiver", _waiver(use)) for use in _list(item.get("waivers")))
    if item.get("softened_by"):
        yield "softened", f"by {printable(item['softened_by'])}"
    yield "time", printable(item["timestamp"])
    yield "diff", ", ".join([printable(item.get("diff_id")), *_state(item, order)])


def _labelled(facts: Iterable[tuple[str, str]]) -> list[str]:
    """Facts with their names in a column."""
    rows = list(facts)
    width = max(_LABEL, *(len(name) for name, _ in rows))
    return [f"  {name:<{width}}  {value}".rstrip() for name, value in rows]


def _value(value: object) -> str:
    return "none" if value is None else printable(value)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _yes(value: object) -> str:
    return "yes" if value else "no"
