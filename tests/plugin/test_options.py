"""Options and ini: which policy holds, what is refused, where paths are looked for."""

from pathlib import Path

import pytest

from .conftest import (
    CLEAR_LINE,
    PLAIN,
    REPORTS_CONFTEST,
    WARN_LINE,
    final_line,
    read_reports,
    run_pytest,
    write_clear,
    write_session,
    write_warn,
)

WARNED = "RECON: BLOCKED (1 WARN in 1 session)"
SESSION = "--recon-session=cash.recon.json"

# The cash differs by 5 EUR: which policy holds shows in the verdict.
STRICT = '[cash]\nabsolute = { EUR = "0" }\n'
LENIENT = '[cash]\nabsolute = { EUR = "10" }\n'
LENIENT_PYPROJECT = '[tool.recon.cash]\nabsolute = { EUR = "10" }\n'


@pytest.fixture
def cash_session(pytester: pytest.Pytester) -> Path:
    """`cash.recon.json`: 5000.00 against 4995.00 EUR, FAIL by the built-in policy."""
    return write_session(pytester.path / "cash.recon.json", external_cash={"EUR": "4995.00"})


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clear session that lies outside of pytester's directory."""
    return write_clear(tmp_path_factory.mktemp("outside") / "clear.recon.json")


@pytest.mark.parametrize(
    ("files", "arguments", "name", "status"),
    [
        ({}, (), "built-in", 1),
        ({"pyproject.toml": "[tool.other]\n"}, (), "built-in", 1),
        ({"pyproject.toml": LENIENT_PYPROJECT}, (), "pyproject.toml", 0),
        ({"pyproject.toml": LENIENT_PYPROJECT, "recon.toml": STRICT}, (), "recon.toml", 1),
        ({"pyproject.toml": LENIENT_PYPROJECT, "recon.toml": ""}, (), "recon.toml", 1),
        ({"recon.toml": LENIENT}, (), "recon.toml", 0),
        (
            {"recon.toml": STRICT, "ini.toml": LENIENT, "pytest.ini": "recon_policy = ini.toml"},
            (),
            "ini.toml",
            0,
        ),
        (
            {
                "recon.toml": LENIENT,
                "ini.toml": LENIENT,
                "pytest.ini": "recon_policy = ini.toml",
                "given.toml": STRICT,
            },
            ("--recon-policy=given.toml",),
            "given.toml",
            1,
        ),
        (
            {"pyproject.toml": LENIENT_PYPROJECT, "recon.toml": STRICT},
            ("--recon-policy=pyproject.toml",),
            "pyproject.toml",
            0,
        ),
        ({"policies/desk.toml": LENIENT}, ("--recon-policy", "policies/desk.toml"), "desk.toml", 0),
    ],
)
@pytest.mark.usefixtures("cash_session")
def test_policy_precedence(
    pytester: pytest.Pytester,
    files: dict[str, str],
    arguments: tuple[str, ...],
    name: str,
    status: int,
) -> None:
    """Option before ini before `recon.toml` before `[tool.recon]` before built-in."""
    for file, text in files.items():
        path = pytester.path / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"[pytest]\n{text}\n" if file == "pytest.ini" else text)
    result = run_pytest(pytester, SESSION, *arguments)
    assert result.ret == status
    assert f"recon: 1 session, 7 comparisons, policy {name}" in result.outlines
    expected = CLEAR_LINE if status == 0 else "RECON: BLOCKED (1 FAIL in 1 session)"
    assert final_line(result) == expected


@pytest.mark.parametrize("name", ["recon.toml", "desk.toml", "pyproject.toml"])
@pytest.mark.usefixtures("cash_session")
def test_policy_of_workers(pytester: pytest.Pytester, name: str) -> None:
    """Workers judge by the policy of the controlling process."""
    (pytester.path / name).write_text(LENIENT_PYPROJECT if name == "pyproject.toml" else LENIENT)
    arguments = ["--recon-policy=desk.toml"] if name == "desk.toml" else []
    result = run_pytest(pytester, "-n2", SESSION, *arguments)
    assert result.ret == 0
    assert final_line(result) == CLEAR_LINE


@pytest.mark.usefixtures("cash_session")
def test_policy_is_relative_to_its_source(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The option's path is relative to the working directory, the ini's to the ini."""
    pytester.makeini("[pytest]\nrecon_policy = lenient.toml\n")
    (pytester.path / "lenient.toml").write_text(LENIENT)
    below = pytester.mkdir("below")
    (below / "lenient.toml").write_text(STRICT)
    monkeypatch.chdir(below)
    session = "--recon-session=../cash.recon.json"
    assert run_pytest(pytester, session).ret == 0
    assert run_pytest(pytester, session, "--recon-policy=lenient.toml").ret == 1
    assert run_pytest(pytester, session, "--recon-policy=../lenient.toml").ret == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[cash", "recon.toml: is not TOML: *"),
        ("[cash]\nabsolut = {}\n", "recon.toml: cash.absolut: unknown key; did you mean absolute?"),
        ("max_skew = 60\n", "recon.toml: max_skew: *expected a duration like 'PT60S'*"),
        ('require = ["cahs"]\n', "recon.toml: require*: 'cahs'; expected *"),
        ('[position]\ninfo_below = "0.1"\n', "recon.toml: position: *info_below is larger *"),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["here", "workers"])
@pytest.mark.usefixtures("cash_session")
def test_bad_policy(
    pytester: pytest.Pytester, text: str, error: str, workers: tuple[str, ...]
) -> None:
    """A policy that cannot be used is a usage error of one line, before anything runs."""
    (pytester.path / "recon.toml").write_text(text)
    result = run_pytest(pytester, *workers, SESSION)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.errlines if line]
    assert len(lines) == 1
    result.stderr.fnmatch_lines([f"ERROR: recon policy: {error}"])


@pytest.mark.usefixtures("cash_session")
def test_bad_policy_of_plain_collection(pytester: pytest.Pytester) -> None:
    """Where no session is named it is one line too, and fails what needs the policy."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    (pytester.path / "recon.toml").write_text("[cash")
    result = run_pytest(pytester, "--recon-gate")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["recon policy: recon.toml: is not TOML: *"])
    assert "Traceback" not in result.stdout.str()
    assert final_line(result) == "RECON: INCOMPLETE (no comparison ran, 1 problem above)"
    assert run_pytest(pytester, "test_project.py").ret == 0


@pytest.mark.usefixtures("cash_session")
def test_missing_policy(pytester: pytest.Pytester) -> None:
    """A policy that was named and is not there is a usage error."""
    result = run_pytest(pytester, SESSION, "--recon-policy=typo.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon policy: typo.toml: cannot be read: *"])


def test_missing_policy_of_a_run_without_sessions(pytester: pytest.Pytester) -> None:
    """It is a usage error also where no session is named, before any test has run."""
    pytester.makepyfile(test_project="def test_passes(): pass")
    result = run_pytest(pytester, "--recon-policy=typo.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon policy: typo.toml: cannot be read: *"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recon-sesion=cash.recon.json",),
        (SESSION, "--recon-fail-on=info"),
        (SESSION, "--recon-fail-on=WARN"),
        (SESSION, "--recon-top-n=many"),
        (SESSION, "--recon-top-n=-1"),
        (SESSION, "--recon-gates"),
        (SESSION, "--recon-policy="),
        (SESSION, "--recon-junit="),
        (SESSION, "--recon-junit=."),
        ("--recon-session",),
        ("cash.recon.json::cash::GBP",),
        (SESSION, "missing_tests"),
    ],
)
@pytest.mark.usefixtures("cash_session")
def test_wrong_usage(pytester: pytest.Pytester, arguments: tuple[str, ...]) -> None:
    """A typo is a usage error, and says so in words."""
    result = run_pytest(pytester, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "Traceback" not in result.stderr.str() + result.stdout.str()
    assert "ERROR" in result.stderr.str() or "error" in result.stderr.str()


@pytest.mark.usefixtures("cash_session")
def test_wrong_ini(pytester: pytest.Pytester) -> None:
    """An ini value of no use is a usage error."""
    pytester.makeini("[pytest]\nrecon_fail_on = sometimes\n")
    result = run_pytest(pytester, SESSION)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: recon_fail_on: 'sometimes'; expected fail or warn"])


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("recon_junit", "5", "'5'"),
        ("recon_report", "[None]", "'None'"),
        ("recon_audit_log", "{}", "'{}'"),
    ],
)
@pytest.mark.usefixtures("cash_session")
def test_a_file_that_a_plugin_sets(
    pytester: pytest.Pytester, name: str, value: str, shown: str
) -> None:
    """Whoever changes an option in code may set anything: what is no name is wrong usage."""
    pytester.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_configure(config):\n"
        f"    config.option.{name} = {value}\n"
    )
    result = run_pytest(pytester, SESSION)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = f"--{name.replace('_', '-')}: {shown}; expected the name of one file"
    result.stderr.fnmatch_lines([f"ERROR: {said}"])


@pytest.mark.parametrize(("words", "is_refused"), [("--{0} {1}", True), ("--{0}={1}", False)])
def test_a_path_of_the_environment_has_an_equals_sign(
    pytester: pytest.Pytester,
    outside: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    *,
    is_refused: bool,
) -> None:
    """The run cannot be started anew with other words there; the rootdir is not moved."""
    (outside.parent / "pytest.ini").write_text("[pytest]\naddopts = -k nothing\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", words.format("recon-session", outside))
    result = run_pytest(pytester)
    if is_refused:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        said = "ERROR: PYTEST_ADDOPTS: write recon options as --option=VALUE"
        result.stderr.fnmatch_lines([said])
    else:
        assert final_line(result) == CLEAR_LINE


@pytest.mark.parametrize("code", [3, "'no desk today'"])
@pytest.mark.usefixtures("cash_session")
def test_a_conftest_that_ends_the_run_as_failed(pytester: pytest.Pytester, code: int | str) -> None:
    """Its own status stays; 0 alone would be a green run without a comparison."""
    pytester.makeconftest(f"import sys\nsys.exit({code})\n")
    result = run_pytest(pytester, SESSION, subprocess=True)
    assert result.ret == (3 if code == 3 else 1)
    assert "ended the run while it was loaded" not in result.stderr.str()
    assert "INTERNALERROR" not in result.stdout.str()


@pytest.mark.usefixtures("cash_session")
def test_abbreviated_option(pytester: pytest.Pytester) -> None:
    """Options are not abbreviated, so that a new one never changes what an old call means."""
    result = run_pytest(pytester, "--recon-sess=cash.recon.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("ini", "arguments"),
    [
        (None, ("--recon-session", "{0}")),
        (None, ("--recon-session={0}",)),
        ("pytest.ini", ("--recon-session", "{0}")),
        ("pytest.ini", ("--recon-session={0}",)),
        ("tests/pytest.ini", ("--recon-session", "{0}")),
        ("tests/pytest.ini", ("--recon-session={0}",)),
        (None, ("-n2", "--recon-session", "{0}")),
        ("pytest.ini", ("-n2", "--recon-session", "{0}")),
    ],
)
def test_absolute_path_of_an_outside_session(
    pytester: pytest.Pytester, outside: Path, ini: str | None, arguments: tuple[str, ...]
) -> None:
    """Written with a space or an equals sign, a path moves neither rootdir nor policy."""
    write_warn(outside)
    (pytester.path / "recon.toml").write_text('[position]\nabsolute = { "BTC/*" = "1" }\n')
    if ini is not None:
        (pytester.path / ini).parent.mkdir(exist_ok=True)
        (pytester.path / ini).write_text("[pytest]\n")
    words = [argument.format(outside) for argument in arguments]
    result = run_pytest(pytester, *words, "-rA")
    assert result.outlines.count(f"rootdir: {pytester.path}") == 1
    known = "read by workers" if "-n2" in arguments else "7 comparisons"
    assert f"recon: 1 session, {known}, policy recon.toml" in result.outlines
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [f"PASSED ../*{outside.parent.name}/clear.recon.json::position::BTC/EUR"]
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("--recon-session", "{outside}", "--recon-policy", "{strict}"),
        ("--recon-policy", "{strict}", "--recon-session={outside}"),
        ("--recon-junit", "{junit}", "--recon-session={outside}", "--recon-policy={strict}"),
        ("--recon-session={outside}", "--recon-policy={strict}"),
    ],
)
def test_space_form_of_all_paths(
    pytester: pytest.Pytester, outside: Path, arguments: tuple[str, ...]
) -> None:
    """Every path option of the plugin leaves the rootdir where it was."""
    strict = outside.parent / "strict.toml"
    strict.write_text(STRICT)
    (outside.parent / "pytest.ini").write_text("[pytest]\naddopts = -k nothing\n")
    pytester.makeini("[pytest]\nrecon_fail_on = warn\n")
    places = {"outside": outside, "strict": strict, "junit": outside.parent / "junit.xml"}
    words = [argument.format(**places) for argument in arguments]
    result = run_pytest(pytester, *words)
    assert f"rootdir: {pytester.path}" in result.outlines
    assert "recon: 1 session, 7 comparisons, policy strict.toml" in result.outlines
    assert result.ret == 0


@pytest.mark.parametrize("name", ["--recon-session={0}", "--recon-session {0}"])
def test_node_ids_inside_the_rootdir(pytester: pytest.Pytester, name: str) -> None:
    """A session below the rootdir has the same node id however its path is written."""
    pytester.makeini("[pytest]\n")
    path = write_clear(pytester.path / "desk" / "clear.recon.json")
    for given in (path, "desk/clear.recon.json", "./desk/../desk/clear.recon.json", "desk"):
        result = run_pytest(pytester, *name.format(given).split(" "), "-v")
        assert result.ret == 0
        result.stdout.fnmatch_lines(["desk/clear.recon.json::position::BTC/EUR PASSED *"])


def test_from_a_subdirectory(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are relative to the working directory, node ids to the rootdir."""
    pytester.makeini("[pytest]\n")
    pytester.makeconftest(REPORTS_CONFTEST)
    write_clear(pytester.path / "desk" / "clear.recon.json")
    monkeypatch.chdir(pytester.path / "desk")
    for name in ("clear.recon.json", "../desk/clear.recon.json", "*.recon.json", ".", "../**/cl*"):
        for words in ([f"--recon-session={name}"], ["--recon-session", name]):
            result = run_pytest(pytester, *words)
            assert f"rootdir: {pytester.path}" in result.outlines
            assert final_line(result) == CLEAR_LINE
            assert "desk/clear.recon.json::position::BTC/EUR" in read_reports(pytester)


def test_rootdir_option(pytester: pytest.Pytester, clear_session: Path, outside: Path) -> None:
    """`--rootdir` holds, for node ids and for the policy that is found there."""
    (outside.parent / "recon.toml").write_text("")
    for words in ([f"--recon-session={clear_session}"], ["--recon-session", str(clear_session)]):
        result = run_pytest(pytester, f"--rootdir={outside.parent}", *words, "-rA")
        assert f"rootdir: {outside.parent}" in result.outlines
        assert "recon: 1 session, 7 comparisons, policy recon.toml" in result.outlines
        result.stdout.fnmatch_lines(["PASSED ../*/clear.recon.json::position::BTC/EUR"])
        assert final_line(result) == CLEAR_LINE


def test_configuration_file_option(pytester: pytest.Pytester, outside: Path) -> None:
    """`-c` names the ini; its paths are relative to it, and it makes the rootdir."""
    write_warn(outside)
    project = pytester.mkdir("project")
    (project / "gate.ini").write_text("[pytest]\nrecon_sessions = *.recon.json\nrecon_gate = 1\n")
    write_clear(project / "own.recon.json")
    for words in ([f"--recon-session={outside}"], ["--recon-session", str(outside)], []):
        result = run_pytest(pytester, "-c", project / "gate.ini", *words)
        assert f"rootdir: {project}" in ",".join(result.outlines)
        assert final_line(result) == (WARN_LINE if words else CLEAR_LINE)
        assert ("xfailed" in result.parseoutcomes()) is bool(words)


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.usefixtures("clear_session")
def test_ini_sessions(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """The ini's sessions are added to what is collected, and turn no gate on."""
    pytester.makeini("[pytest]\ntestpaths = tests\nrecon_sessions =\n    clear.recon.json\n")
    tests = pytester.mkdir("tests")
    (tests / "test_project.py").write_text("def test_passes(): pass")
    result = run_pytest(pytester, *workers)
    result.assert_outcomes(passed=8)
    assert final_line(result) == CLEAR_LINE
    narrowed = run_pytest(pytester, *workers, "-k", "passes")
    assert narrowed.ret == 0
    assert final_line(narrowed) == "RECON: INCOMPLETE (0 of 7 comparisons ran)"


@pytest.mark.usefixtures("clear_session")
def test_ini_sessions_with_an_argument(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are added where positional arguments name directories, from any directory."""
    pytester.makeini("[pytest]\nrecon_sessions = clear.recon.json\n")
    below = pytester.mkdir("below")
    (below / "test_project.py").write_text("def test_passes(): pass")
    monkeypatch.chdir(below)
    result = run_pytest(pytester, ".")
    result.assert_outcomes(passed=8)
    assert final_line(result) == CLEAR_LINE


@pytest.mark.usefixtures("clear_session")
def test_ini_and_command_line(pytester: pytest.Pytester) -> None:
    """Sessions of the command line run alone, and what is left out is said."""
    pytester.makeini("[pytest]\nrecon_sessions = clear.recon.json\n")
    pytester.makepyfile(test_project="def test_passes(): pass")
    write_warn(pytester.path / "warn.recon.json")
    result = run_pytest(pytester, "--recon-session=warn.recon.json")
    result.assert_outcomes(passed=6, xfailed=1, warnings=1)
    assert final_line(result) == WARN_LINE
    said = "recon: recon_sessions is not read: the command line names sessions or tests"
    assert said in result.outlines


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.parametrize("ini", ["", "testpaths = tests\n"])
@pytest.mark.usefixtures("clear_session")
def test_sessions_run_alone(pytester: pytest.Pytester, ini: str, workers: tuple[str, ...]) -> None:
    """Sessions on the command line run without the project's tests and other sessions."""
    pytester.makeini(f"[pytest]\n{ini}")
    tests = pytester.mkdir("tests")
    (tests / "test_project.py").write_text("def test_fails(): assert False")
    write_warn(pytester.path / "warn.recon.json")
    result = run_pytest(pytester, *workers, "--recon-session=clear.recon.json")
    result.assert_outcomes(passed=7)
    assert result.ret == 0


@pytest.mark.parametrize("workers", [(), ("-n2",)])
@pytest.mark.usefixtures("clear_session")
def test_sessions_beside_an_argument(pytester: pytest.Pytester, workers: tuple[str, ...]) -> None:
    """With positional arguments both run."""
    pytester.makepyfile(test_project="def test_passes(): pass", test_other="assert False")
    result = run_pytest(pytester, *workers, "--recon-session=clear.recon.json", "test_project.py")
    result.assert_outcomes(passed=8)
    assert final_line(result) == CLEAR_LINE


@pytest.mark.parametrize("words", [(), ("test_project.py",)])
def test_unused_plugin_reads_nothing(pytester: pytest.Pytester, words: tuple[str, ...]) -> None:
    """A project without sessions and policy starts without loading what only they need."""
    pytester.makepyfile(
        test_project="""
        import sys
        def test_imports():
            assert {"pydantic", "tabulate", "junit_xml"}.isdisjoint(sys.modules)
        """
    )
    # A new interpreter, which has imported nothing.
    pytester.runpytest_subprocess(*PLAIN, *words).assert_outcomes(passed=1)
