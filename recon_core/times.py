"""Times, under the name by which format plugins import them (see `recon_core.values`)."""

from recon_core.values.times import format_time, parse_time, require_time

__all__ = ["format_time", "parse_time", "require_time"]
