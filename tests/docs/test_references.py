"""What the source names as the origin of a rule can be looked up: the page and its heading."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {
    "design": "docs/design.md",
    "rules": "docs/rules.md",
    "session format": "docs/session-format.md",
}
REFERENCE = re.compile(
    rf'\b({"|".join(PAGES)}), ((?:"[^"]+"(?:, and |, | and |; )?)+)'  # design, "Cash" and "As-of"
)
QUOTED = re.compile(r'"([^"]+)"')
SOURCES = [
    path
    for folder in ("recon_core", "pytest_recon", "tests", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if path != Path(__file__)
]


def headings_of(page: str) -> set[str]:
    """The headings of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {line.lstrip("# ") for line in text.splitlines() if line.startswith("#")}


def references() -> list[tuple[str, str, str]]:
    """File, page and heading of every reference in the source."""
    found = []
    for path in SOURCES:
        text = " ".join(path.read_text(encoding="utf-8").split())
        for page, headings in REFERENCE.findall(text):
            found += [(path.name, page, heading) for heading in QUOTED.findall(headings)]
    return found


@pytest.mark.large
@pytest.mark.parametrize("page", PAGES)
def test_every_reference_leads_to_a_heading(page: str) -> None:
    """A reader who looks the origin of a rule up finds it."""
    found = {(name, heading) for name, of_page, heading in references() if of_page == page}
    assert found, "the pattern finds no reference any more"
    known = headings_of(PAGES[page])
    assert not {(name, heading) for name, heading in found if heading not in known}


def test_no_reference_is_written_in_another_way() -> None:
    """One spelling, `(design, "Cash")`, so that none escapes the test above."""
    other = re.compile(r'(?:runbook|[Tt]he design(?:\'s)?|[Tt]he session format),? "[A-Z]')
    texts = {path: " ".join(path.read_text(encoding="utf-8").split()) for path in SOURCES}
    assert not {str(path): found for path, text in texts.items() if (found := other.findall(text))}


def test_every_page_of_the_source_is_named_once() -> None:
    """The pages that a newcomer needs exist, and CONTRIBUTING names them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in ("design.md", "architecture.md", "how-explain-works.md"):
        assert (ROOT / "docs" / name).is_file()
        assert f"docs/{name}" in text
