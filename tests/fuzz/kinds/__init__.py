"""The kinds of input that are fuzzed, one module each, all in one list."""

from . import (
    audit_export,
    audit_log,
    ccxt,
    freqtrade_bot,
    freqtrade_json,
    freqtrade_zip,
    lean,
    native,
    nautilus,
    policy,
    statement,
    table,
)
from .kind import Kind

KINDS: tuple[Kind, ...] = (
    native.KIND,
    table.KIND,
    statement.KIND,
    ccxt.KIND,
    nautilus.KIND,
    freqtrade_zip.KIND,
    freqtrade_json.KIND,
    lean.KIND,
    freqtrade_bot.KIND,
    policy.KIND,
    audit_log.KIND,
    audit_export.KIND,
)
"""All kinds; the sum of their shares is the whole of a run."""
