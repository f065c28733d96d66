"""HTML: one file without script that asks nothing of anywhere.

The template is rendered by jinja2 with autoescape; every text is made printable first. The
content security policy allows the one style sheet by its hash and nothing else.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recon_core.reports.mutation_tables import COLUMNS, share_text
from recon_core.reports.page.content import anchor, page
from recon_core.reports.run_report import RunReport
from recon_core.values.printable import printable

_PLACE: Final = Path(__file__).parents[1] / "page"
_LONGEST: Final = 2000
"""Characters of one text; ids of any length must not fill the page."""
_SIGNS: Final = {
    "CRITICAL": "◆",
    "FAIL": "✕",
    "WARN": "▲",
    "INFO": "●",
    "WAIVED": "○",
    "match": "✓",
}
_CERTAINTY: Final = {
    "unique": "proven",
    "ambiguous": "possible",
    "partial": "of a part",
    "unexplained": "not found",
    "not-searched": "not searched",
}
_HEADS: Final = {"CLEAR": "✓", "BLOCKED": "✕", "INCOMPLETE": "◆"}


def render(run: RunReport) -> str:
    """Return the page of a run."""
    style = (_PLACE / "page.css").read_text(encoding="utf-8").strip()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        _environment()
        .get_template("page.html.jinja")
        .render(
            run=run,
            page=page(run),
            anchor=anchor,
            signs=_SIGNS,
            heads=_HEADS,
            certainty=_CERTAINTY,
            mutation_columns=COLUMNS,
            share_text=share_text,
            style=Markup(style),  # noqa: S704  # a file of this package
            style_hash=f"sha256-{digest}",
        )
        + "\n"
    )


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        loader=FileSystemLoader(_PLACE),
        finalize=_made_printable,
    )


def _made_printable(value: Any) -> Any:
    """Make every text that is no markup safe to show, before it is escaped."""
    return (
        printable(value, _LONGEST)
        if isinstance(value, str) and not hasattr(value, "__html__")
        else value
    )
