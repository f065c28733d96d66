"""Names from outside in every report: nothing in them is markup, a command or another line."""

import json
import xml.etree.ElementTree as ET
from datetime import date
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser

import pytest

from recon_core.policy.waivers import Waiver, Waivers
from recon_core.reports.formats import FORMATS
from recon_core.reports.run_report import RunReport

from . import consumers, runs
from .test_consumers import CONSUMERS, sarif_validator

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onload=alert(1) x='",
    "image": "<img src=https://evil.example/x>",
    "comment": "--><b>",
    "entity": "&lt;b&gt;&#60;",
    "template": "{{ 7*7 }}{% raw %}",
    "markdown": "[x](https://evil.example) ![y](z) `a` *b* _c_ ~~d~~ | e | # f",
    "mention": "@everyone #1 GH-2 https://evil.example www.evil.example :boom:",
    "html block": "</code></td></table><h1>",
    "command": "::error::x",
    "lines": "a\n::error file=x::y\r\n::stop-commands::z\u2028::warning::w",
    "older command": "##[error]x ##vso[task.complete]",
    "escaped": "%0A%25::error::x,line=3:4",
    "xml": "]]></failure><testcase name='x'/>",
    "controls": "\x00\x01\x1b[31mred\x7f\x85\ufffe",
    "reversed": "\u202egnp.exe\u2066",
    "wide": "💥" * 40,
    "long": "x" * 20_000,
    "empty": "",
}
"""Texts by what they would do where a report took them for its own."""


@cache
def _run() -> RunReport:
    """The examples, whose cash is waived up to 5: above it a waiver does not cover."""
    names = ("w", "*", "cash::*", "ops@desk", "known")
    waiver = Waiver(*names, expires=date(2026, 12, 31), max_amount=Decimal(5))
    return runs.examples(Waivers(date(2026, 11, 29), (waiver,), {"w.toml": "0" * 64}))


def hostile(text: str) -> RunReport:
    """A run with `text` in the place of every name, message and path."""
    return runs.with_texts(_run(), text)  # type: ignore[no-any-return]  # of the same type


class _Elements(HTMLParser):
    """The elements, attributes and texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def elements(text: str) -> _Elements:
    """The page as a browser would take it."""
    parser = _Elements()
    parser.feed(text)
    return parser


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_page_has_the_elements_of_its_template(text: str) -> None:
    """As many as with a harmless name, no attribute that acts, no address outside."""
    found, plain = (elements(FORMATS["html"].render(hostile(each))) for each in (text, "name"))
    assert found.tags == plain.tags
    assert [name for name, _ in found.attributes] == [name for name, _ in plain.attributes]
    assert not [name for name, _ in found.attributes if name.startswith("on") or name == "style"]
    links = [value for name, value in found.attributes if name in ("href", "src")]
    assert [link for link in links if not link.startswith(("#", "data:,"))] == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_annotations_are_as_many_as_findings(text: str) -> None:
    """Whatever is in a name, the runner sees the same commands with the same properties."""
    found, plain = (
        consumers.github_commands(FORMATS["github"].render(hostile(each))) for each in (text, "n")
    )
    assert [each.name for each in found] == [each.name for each in plain]
    with_file = [set(each.properties) - {"file", "line"} for each in found]
    assert with_file == [set(each.properties) - {"file", "line"} for each in plain]
    assert all(len(each.message) <= 4096 for each in found)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_markdown_stays_text(text: str) -> None:
    """No tag, link, image, heading, table cell or mention comes from a name."""
    found, plain = (FORMATS["markdown"].render(hostile(each)) for each in (text, "name"))
    for sign in ("<", "|", "`", "](", "\n#", "*"):
        assert found.count(sign) == plain.count(sign), sign
    assert "@e" not in found
    assert "://" not in found
    assert "www." not in found
    assert len(found.splitlines()) == len(plain.splitlines())
    assert len(found.encode()) <= 60_000


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_junit_has_the_cases_of_the_run(text: str) -> None:
    """Well-formed, each with the outcome that it has."""
    found, plain = (FORMATS["junit"].render(hostile(each)) for each in (text, "name"))
    tags = [[element.tag for element in ET.fromstring(each).iter()] for each in (found, plain)]  # noqa: S314  # written by this project
    assert tags[0] == tags[1]
    for read in CONSUMERS.values():
        assert [each.outcome for each in read(found)] == [each.outcome for each in read(plain)]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("name", ["gitlab", "sarif", "json"])
def test_json_is_whole_and_encodable(name: str, text: str) -> None:
    """With every finding; GitLab shows each of them."""
    made = FORMATS[name].render(hostile(text))
    json.loads(made.encode("utf-8"))
    if name == "gitlab":
        issues = json.loads(made)
        assert len(consumers.gitlab_degradations(made)) == len(issues)
        assert all("\n" not in issue["description"] for issue in issues)
        assert all(len(issue["description"]) <= 1100 for issue in issues)
    if name == "sarif":
        sarif_validator().validate(json.loads(made))


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in ("json", "sarif", "gitlab")]
)
@pytest.mark.parametrize("key", ["controls", "reversed", "lines"])
def test_no_control_character_reaches_a_report(name: str, key: str) -> None:
    """They are made visible, in the notation of Python."""
    made = FORMATS[name].render(hostile(HOSTILE[key]))
    for sign in ("\x00", "\x1b", "\x7f", "\r", "\u202e", "\u2066", "\u2028"):
        assert sign not in made
