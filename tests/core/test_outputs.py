"""The reports that a command line names, and the one that stands in for each until its end."""

import stat
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from recon_core.reports.formats import JUNIT, NOT_ENDED
from recon_core.reports.outputs import named_value, withdraw

EARLIER = '<?xml version="1.0" ?>\n<testsuites><testsuite name="desk" /></testsuites>\n'


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ([], None),
        (["--junit", "a.xml"], "a.xml"),
        (["--junit=a.xml"], "a.xml"),
        (["--junit="], ""),
        (["--junit=a=b.xml"], "a=b.xml"),
        (["-q", "--junit", "a.xml", "desk", "--junit=b.xml"], "b.xml"),
        (["--junit-xml", "a.xml"], "a.xml"),
        (["--junit"], None),
        (["--junits", "a.xml"], None),
        (["--", "--junit", "a.xml"], None),
    ],
)
def test_value_of_an_option(words: list[str], value: str | None) -> None:
    """Under either name, joined or not, the last one; nothing behind `--`."""
    assert named_value(words, "--junit", "--junit-xml") == value


def test_the_report_fails_and_says_why() -> None:
    """A reader that knows failing cases only sees one, in figures and in words."""
    root = ET.fromstring(JUNIT.not_ended)  # noqa: S314  # a constant
    (case,) = root.iter("testcase")
    error = case.find("error")
    assert error is not None
    assert error.attrib["message"] == NOT_ENDED
    for element in (root, *root.iter("testsuite")):
        assert (element.attrib["tests"], element.attrib["errors"]) == ("1", "1")
    assert JUNIT.begins.match(JUNIT.not_ended.encode())


@pytest.mark.parametrize(
    "earlier",
    [None, "", EARLIER, JUNIT.not_ended, "<testsuite/>", "\ufeff<?xml version='1.0'?><testsuites>"],
)
def test_an_earlier_report_is_replaced(tmp_path: Path, earlier: str | None) -> None:
    """So is a place where there is none yet, whose directory is made."""
    report = tmp_path / "out" / "recon.xml"
    if earlier is not None:
        report.parent.mkdir()
        report.write_text(earlier, encoding="utf-8")
    withdraw("out/recon.xml", tmp_path, JUNIT)
    assert report.read_text(encoding="utf-8") == JUNIT.not_ended
    assert [path.name for path in report.parent.iterdir()] == ["recon.xml"]


@pytest.mark.parametrize(
    "text", ["kept", "<html></html>", "<project><testsuites/></project>", "{}", "<testsuitesX/>"]
)
def test_no_other_file_is_replaced(tmp_path: Path, text: str) -> None:
    """A file that is no report of this format may be anything."""
    (tmp_path / "pom.xml").write_text(text, encoding="utf-8")
    withdraw("pom.xml", tmp_path, JUNIT)
    assert (tmp_path / "pom.xml").read_text(encoding="utf-8") == text


def test_no_link_no_directory_no_device_no_session(tmp_path: Path) -> None:
    """What a report never replaces stays as it is; see `written_path`."""
    (tmp_path / "real.xml").write_text(EARLIER, encoding="utf-8")
    (tmp_path / "link.xml").symlink_to(tmp_path / "real.xml")
    (tmp_path / "dir.xml").mkdir()
    (tmp_path / "desk.recon.json").write_text(EARLIER, encoding="utf-8")
    for value in ("link.xml", "dir.xml", "desk.recon.json", "/dev/null", "", "\0"):
        withdraw(value, tmp_path, JUNIT)
    assert (tmp_path / "link.xml").is_symlink()
    assert (tmp_path / "real.xml").read_text(encoding="utf-8") == EARLIER
    assert (tmp_path / "desk.recon.json").read_text(encoding="utf-8") == EARLIER
    assert list((tmp_path / "dir.xml").iterdir()) == []
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_the_audit_log_is_no_report(tmp_path: Path) -> None:
    """A command line that names one file for both is refused, and the log stays new."""
    withdraw("log", tmp_path, JUNIT, "./log")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "log").write_text(EARLIER, encoding="utf-8")
    withdraw("log", tmp_path, JUNIT, "log")
    assert (tmp_path / "log").read_text(encoding="utf-8") == JUNIT.not_ended


@pytest.mark.parametrize(("failing", "left"), [(1, JUNIT.not_ended), (2, None), (3, EARLIER)])
def test_a_place_that_takes_no_new_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int, left: str | None
) -> None:
    """The file is written in place, else removed; where nothing works the run goes on."""
    report = tmp_path / "recon.xml"
    report.write_text(EARLIER, encoding="utf-8")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    for place, name in [(tempfile, "mkstemp"), (Path, "write_text"), (Path, "unlink")][:failing]:
        monkeypatch.setattr(place, name, fail)
    withdraw("recon.xml", tmp_path, JUNIT)
    monkeypatch.undo()
    assert (report.read_text(encoding="utf-8") if report.exists() else None) == left
