"""JUnit XML, as GitLab, Jenkins and GitHub's actions read it."""

from recon_core.reports.junit import junit_text
from recon_core.reports.run_report import RunReport
from recon_core.reports.session_suites import run_suites


def render(run: RunReport) -> str:
    """Return one `<testsuite>` per session; raises `ValueError` where it does not read back."""
    return junit_text(run_suites(run))
