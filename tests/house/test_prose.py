"""Every rule of the lint of prose finds its fault, and lets good prose pass."""

from pathlib import Path

import pytest

from . import prose

GOOD = '''"""Fees of one fill.

A rest of 3 is posted; `need` and `told_apart` are identifiers.
"""

_MOST: Final = 5
"""Rates that are tried: each costs a pass over all rows."""

_PLACES: Final = MOST_DIGITS + 1  # half of an amount is whole units
_HALF: Final = Decimal("0.5")
_NAME: Final = "half"


def fee(rate):
    """Return the fee in the quote currency."""
'''
REASON = '"""Seconds: a venue answers later."""'


@pytest.mark.parametrize("word", ["What", "whether", "Which", "THAT", "How", "Why", "Where"])
def test_a_docstring_does_not_begin_with_a_clause(word: str) -> None:
    """The first word decides, in any case and on any line of the opening quotes."""
    for opening in (f'"""{word} is charged."""', f'def fee():\n    """\n    {word} is charged."""'):
        ((_, problem),) = prose.clauses(opening)
        assert f'begins with "{word}"' in problem


@pytest.mark.parametrize("opening", ["Whatever", "Wherever", "Return what", "True if", "The fee"])
def test_other_openings_pass(opening: str) -> None:
    """Only whole first words count."""
    assert not list(prose.clauses(f'"""{opening} is charged."""'))


@pytest.mark.parametrize(
    "words", ["told", "Needed", "stands", "goes", "besides", "the\nrest", "grounds", "free number"]
)
def test_a_banned_word_is_found_on_its_line(words: str) -> None:
    """A phrase may be broken over two lines."""
    source = f'"""Fees.\n\nA fee is {words} twice.\n"""'
    assert list(prose.banned_words(source)) == [(3, f'says "{" ".join(words.split())}"')]


@pytest.mark.parametrize("words", ["`told`", "fingerprints", "goal", "standard", "rest"])
def test_identifiers_and_longer_words_pass(words: str) -> None:
    """Names in backticks are those of the code."""
    assert not list(prose.banned_words(f'"""Fees of {words}."""'))


@pytest.mark.parametrize(
    "value",
    ["5", "-1", "0.5", "2_000", "10**6", "MOST + 1"]
    + [f"{name}(5)" for name in ("Decimal", "Fraction", "timedelta")],
)
def test_a_bound_has_a_reason(value: str) -> None:
    """A string below the bound or a comment beside it is one; a suppressed rule is none."""
    bound = f"_MOST: Final = {value}"
    for bare in (bound, f"{bound}\n_OTHER: Final = ''", f"{bound}  # noqa: X1", f"{bound}\ncall()"):
        assert list(prose.bare_bounds(bare)) == [(1, f'"{bare.splitlines()[0]}" has no reason')]
    for reasoned in (f"{bound}\n{REASON}", f"{bound}  # rows", f"{bound}  # noqa: X1  # rows"):
        assert not list(prose.bare_bounds(reasoned))


@pytest.mark.parametrize(
    "constant", ['_A: Final = "5"', "_HALF: Final = 0.5", "_a: Final = 5", '_A: Final = ROOT / "a"']
)
def test_other_constants_pass(constant: str) -> None:
    """Texts, numerals, paths and lower-case names are no bounds."""
    assert not list(prose.bare_bounds(constant))


def test_good_prose_passes() -> None:
    """A module that keeps all rules, and this lint itself."""
    for source in (
        GOOD,
        *(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("*.py")),
    ):
        assert prose.problems(source) == []


def test_a_problem_in_any_room_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Modules of both packages are read, and a problem is named by its place."""
    monkeypatch.setattr(prose, "ROOT", tmp_path)
    for room in ("recon_core/ledger", "pytest_recon"):
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / "fees.py").write_text('"""Fees."""\n')
    assert prose.main() == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "recon_core/ledger/fees.py").write_text('"""What is needed."""\n')
    (tmp_path / "pytest_recon/fees.py").write_text('"""Fees."""\n\n_MOST: Final = 5\n')
    assert prose.main() == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert first == 'recon_core/ledger/fees.py:1: begins with "What"; begin with a verb or a noun'
    assert second == 'recon_core/ledger/fees.py:1: says "needed"'
    assert third.startswith("pytest_recon/fees.py:3:")
