"""The formats of a run's report: one module each, with `render(run) -> str`, in one list.

Constants only: a run withdraws its former reports before anything heavy is imported, and what
writes reports is imported where one is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from recon_core.values.errors import ReconError

if TYPE_CHECKING:
    from recon_core.reports.run_report import RunReport

NOT_ENDED: Final = "the run has not ended"
_WHY: Final = (
    f"{NOT_ENDED}: it goes on, its command line was refused, or it was stopped before its report "
    "was written"
)


@dataclass(frozen=True, slots=True)
class ReportFormat:
    """A kind of report: how a file of it begins, and one that fails as `NOT_ENDED`.

    `module` is its module in this package, `needs` the library of the extra `report` that it is
    made with.
    """

    begins: re.Pattern[bytes]
    not_ended: str
    module: str
    needs: str | None = None

    def render(self, run: "RunReport") -> str:
        """Return the report as text; raises `ReconError` where its library is missing."""
        self.require()
        module = import_module(f"{__name__}.{self.module}")
        text: str = module.render(run)
        return text

    def require(self) -> None:
        """Raise `ReconError` where the library that it is made with is missing."""
        if self.needs is not None and find_spec(self.needs) is None:
            raise ReconError(
                f"needs {self.needs}, which is not installed; pip install 'pytest-recon[report]'"
            )


FORMATS: Final[Mapping[str, ReportFormat]] = {
    "json": ReportFormat(
        re.compile(rb'\s*\{\s*"schema":\s*"recon\.report/'),
        '{"schema":"recon.report/1","version":"","written":"","verdict":"INCOMPLETE",'
        f'"line":"RECON: INCOMPLETE ({NOT_ENDED})","gate":true,"invocation_id":"","policy":"",'
        f'"problems":["{_WHY}"],"notes":[],"audit":null,"trend":[],"sessions":[]}}\n',
        "json_file",
    ),
    "markdown": ReportFormat(
        re.compile(rb"<!-- recon report -->"),
        f"<!-- recon report -->\n## RECON: INCOMPLETE\n\n{_WHY}.\n",
        "markdown",
    ),
    "github": ReportFormat(
        re.compile(rb"::(error|warning|notice) [^\n]*title=recon"),
        f"::error title=recon INCOMPLETE::{_WHY}\n",
        "github",
    ),
    "gitlab": ReportFormat(
        re.compile(rb'\s*\[\s*(\]|\{\s*"check_name":\s*"recon)'),
        '[{"check_name":"recon.gate","description":"recon INCOMPLETE: '
        f'{_WHY}","fingerprint":"{"0" * 64}","severity":"blocker",'
        '"location":{"path":"recon","lines":{"begin":1}}}]\n',
        "gitlab",
    ),
    "sarif": ReportFormat(
        re.compile(rb'\s*\{\s*"\$schema":\s*"[^"]*sarif-2\.1\.0[^"]*"'),
        '{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":'
        '[{"tool":{"driver":{"name":"recon","rules":[{"id":"gate"}]}},'
        '"invocations":[{"executionSuccessful":false}],"results":[{"ruleId":"gate",'
        f'"level":"error","message":{{"text":"INCOMPLETE: {_WHY}"}},"locations":[{{'
        '"physicalLocation":{"artifactLocation":{"uri":"recon"},"region":{"startLine":1}}}]}]}]}\n',
        "sarif",
    ),
    "html": ReportFormat(
        re.compile(rb"<!doctype html>\s*<!-- recon report -->"),
        '<!doctype html>\n<!-- recon report -->\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'
        "<title>RECON: INCOMPLETE</title></head><body><main><h1>RECON: INCOMPLETE</h1>"
        f"<p>{_WHY}.</p></main></body></html>\n",
        "html_page",
        needs="jinja2",
    ),
    "junit": ReportFormat(
        re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>)?\s*<testsuites?[\s/>]"),
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<testsuites tests="1" failures="0" errors="1" time="0">'
        '<testsuite name="recon" tests="1" failures="0" errors="1" skipped="0" time="0">'
        '<testcase classname="recon" name="gate" time="0">'
        f'<error type="error" message="{NOT_ENDED}">{_WHY}</error>'
        "</testcase></testsuite></testsuites>\n",
        "junit",
    ),
}
"""Every format by its name, in the order of the help."""

JUNIT: Final = FORMATS["junit"]
