"""The documents say what the code does: every block is tried, every name is there."""

import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import fields
from datetime import date
from functools import cache
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

import pytest_recon
import recon_core
from pytest_recon.options import Settings, add_options
from recon_core.model.matched_rows import RowCase
from recon_core.plugins.hookspecs import ReconHooks
from recon_core.policy.toml_file import (
    AliasTable,
    CashTable,
    PolicyFile,
    PositionTable,
    read_policy,
    read_pyproject_policy,
)
from recon_core.policy.waiver_file import read_waivers
from recon_core.sessions import schema

from .blocks import Block, Reader, blocks_of, commands_of, matches

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [
    *DOCUMENTS,
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "tests").glob("*/README.md")),
]
WRITTEN = date(2026, 11, 28)
"""The day on which the documents were written: their waivers expire later."""
SKIPS = {
    "makes a virtual environment and installs",
    "uses the virtual environment that make demo has made",
    "installs",
    "installs a package",
    "needs nautilus_trader and a backtest",
    "needs nautilus_trader and a node",
    "changes the shell",
    "needs recordings of your own",
    "needs a server",
    "needs an engine",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    """Return a reader who stands in a clone of what the documents speak of."""
    clone = tmp_path / "clone"
    clone.mkdir()
    shutil.copytree(ROOT / "examples", clone / "examples", ignore=shutil.ignore_patterns(".*"))
    return Reader(clone)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_block_does_what_the_document_says(document: Path, reader: Reader) -> None:
    """A reader who follows the document from the top sees what it shows."""
    for block in blocks_of(document):
        where = f"{document.name}:{block.line}"
        if block.purpose == "skip":
            assert block.argument in SKIPS, f"{where}: a new reason to skip"
            _install(block, reader)
            continue
        if block.purpose == "file":
            saved = reader.save(block.argument, block.text)
        else:
            saved = reader.save(f"block{block.line}.{block.language}", block.text)
        CHECKS[block.language](block, saved, reader, where)
        if block.purpose != "file":
            saved.unlink()


def _install(block: Block, reader: Reader) -> None:
    if block.argument == "installs a package":
        for command, _ in commands_of(block):
            reader.pretend_to_install(command.removeprefix("pip install "))


def _console(block: Block, _saved: Path, reader: Reader, where: str) -> None:
    commands = commands_of(block)
    outputs = reader.type([command for command, _ in commands])
    assert len(outputs) == len(commands), f"{where}: a command ended the shell"
    for (command, shown), output in zip(commands, outputs, strict=True):
        # A command without output in the document only moves the reader on.
        if shown or command.startswith("pytest"):
            assert matches(shown, output), f"{where}: $ {command}\n{output}"


def _python(block: Block, saved: Path, reader: Reader, where: str) -> None:
    is_test = "def test_" in block.text
    command = f"pytest -q {saved.name}" if is_test else f"python {saved.name}"
    place = saved.parent.relative_to(reader.directory)
    status = reader.type([f"(cd {place} && {command})", "echo $?"])
    assert status[1].strip() == "0", f"{where}: {command}\n{status[0]}"


def _toml(block: Block, saved: Path, _reader: Reader, where: str) -> None:
    if "[project]" in block.text:
        return  # a package of its own, which is installed and used below
    if "columns = " in block.text or "columns]" in block.text:
        return  # a mapping of tables, which a session below reads
    if "[[waiver]]" in block.text:
        assert read_waivers([saved], WRITTEN, 90).entries, where
        return
    read = read_pyproject_policy if saved.name == "pyproject.toml" else read_policy
    assert read(saved) is not None, where


def _json(block: Block, saved: Path, reader: Reader, where: str) -> None:
    if block.purpose == "part":
        other = '{"as_of": "2026-01-01T12:00:00Z", "cash": {"EUR": "5795.80"}}'
        sides = {"internal": other, "external": other, block.argument: block.text}
        saved.write_text(
            '{"schema": "recon.session/1", "session_id": "part", "instruments": '
            '{"BTC/EUR": {"kind": "spot", "base": "BTC", "quote": "EUR"}}, '
            f'"internal": {sides["internal"]}, "external": {sides["external"]}}}'
        )
        reader.save("fills.csv", _csv_of(where))
    elif not saved.name.endswith(".recon.json") and block.purpose == "file":
        return  # a result, which a session below reads
    recorded = recon_core.read_session(saved)
    assert recorded.internal is not None, where
    assert recorded.external is not None, where
    if block.purpose != "file":
        assert recon_core.reconcile_session(saved).comparisons[-1].check is None, where


def _csv_of(where: str) -> str:
    document = next(path for path in DOCUMENTS if path.name == where.partition(":")[0])
    return next(block.text for block in blocks_of(document) if block.language == "csv")


def _yaml(block: Block, _saved: Path, _reader: Reader, where: str) -> None:
    """A step of a workflow has inputs of the action, a hook is one that there is."""
    read = yaml.safe_load(block.text)
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    if isinstance(read, list):
        assert set(read[0]["with"]) <= set(action["inputs"]), where
    else:
        named = {hook["id"] for repo in read["repos"] for hook in repo["hooks"]}
        assert named <= {hook["id"] for hook in hooks}, where


def _sql(block: Block, _saved: Path, reader: Reader, where: str) -> None:
    """A query that the database has rows for."""
    with closing(sqlite3.connect(reader.directory / "audit.db")) as connection:
        assert connection.execute(block.text).fetchall(), where


def _table(block: Block, saved: Path, _reader: Reader, where: str) -> None:
    assert block.purpose == "file", where
    assert saved.is_file(), where


def _picture(block: Block, _saved: Path, _reader: Reader, where: str) -> None:
    """The files that a picture names exist."""
    named = re.findall(r"[\w/]+\.py\b", block.text)
    assert named, where
    for name in named:
        assert any(ROOT.glob(f"recon_core/**/{name}")) or any(ROOT.glob(f"**/{name}")), name


CHECKS = {
    "text": _picture,
    "sql": _sql,
    "console": _console,
    "python": _python,
    "toml": _toml,
    "yaml": _yaml,
    "json": _json,
    "csv": _table,
}


def test_a_wrong_output_is_noticed(reader: Reader) -> None:
    """The check of this file can fail: it compares output, order and status."""
    assert matches("a\n...\nd", "a\nb\nc\nd\n")
    assert not matches("a\n...\nd", "a\nb\n")
    assert not matches("", "a")
    assert matches("a...b...c", "a b b c c")
    assert not matches("a...c...b...", "a b c")
    assert not matches("a...a", "a")
    assert reader.type(["false", "echo $?"])[1].strip() == "1"


@cache
def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file of the repository and a heading in it."""
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name}: {target}"
        assert linked.is_relative_to(ROOT), f"{page.name}: {target}"
        assert not anchor or anchor in _anchors(linked), f"{page.name}: {target}"


class _Options:
    """Records what the plugin declares to pytest."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def getgroup(self, *_: object) -> "_Options":
        return self

    def addoption(self, *names: str, **_: object) -> None:
        self.names += names

    def addini(self, name: str, *_: object, **__: object) -> None:
        self.names.append(name)


def _declared_options() -> list[str]:
    options = _Options()
    add_options(options)
    return options.names


def _fields(*models: type[BaseModel]) -> list[str]:
    return [field.alias or name for model in models for name, field in model.model_fields.items()]


FILE_MODELS = (
    schema.SessionFile,
    schema.SideTable,
    schema.PositionRow,
    schema.CashRow,
    schema.OrderRow,
    schema.FillRow,
    schema.MovementRow,
    schema.OpeningTable,
    schema.SnapshotTable,
    schema.CountsTable,
    schema.InstrumentTable,
    schema.CurrencyTable,
    schema.ForeignSource,
)
HOOKS = [name for name in vars(ReconHooks) if name.startswith("recon_")]
CHOICES = [
    *recon_core.Severity,
    *recon_core.OrderState,
    *recon_core.MovementKind,
    *recon_core.InstrumentKind,
    *recon_core.Leg,
    *recon_core.OrderSide,
]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("README.md", _declared_options()),
        ("README.md", ["recon_engine", "assert_reconciles"]),
        ("docs/extending.md", HOOKS),
        ("docs/python.md", recon_core.__all__),
        ("docs/python.md", pytest_recon.__all__),
        ("docs/session-format.md", _fields(*FILE_MODELS)),
        ("docs/session-format.md", [name for name in CHOICES if name not in recon_core.Severity]),
        ("docs/rules.md", _fields(PolicyFile, PositionTable, CashTable, AliasTable)),
        ("docs/rules.md", [*RowCase]),
        ("docs/rules.md", [*recon_core.Severity]),
    ],
)
def test_every_name_of_the_code_is_documented(page: str, names: list[str]) -> None:
    """No option, hook, field, choice or public name is missing from its page."""
    assert names
    text = (ROOT / page).read_text(encoding="utf-8")
    missing = [
        name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)
    ]
    assert not missing


def test_documented_options_and_targets_exist() -> None:
    """No page names an option, an ini setting or a make target that does not exist."""
    known = set(_declared_options())
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"--(?:no-)?recon-[a-z-]+", text)) <= known, page.name
        inis = set(re.findall(r"\brecon_(?:sessions|policy|fail_on|gate|junit|audit_log)\b", text))
        assert inis <= known, page.name
        assert set(re.findall(r"`make ([a-z-]+)", text)) <= targets, page.name
    assert {field.name for field in fields(Settings)} >= {"reports", "top_n"}


def test_pages_are_linked_from_the_readme() -> None:
    """A reader finds every page from the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"docs/{page.name}" in text for page in (ROOT / "docs").glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_open_ends(page: Path) -> None:
    """No page holds a note to its author or a path of the machine it was written on."""
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"TODO|FIXME|XXX|/tmp/|/work/|/home/|localhost", text)
