"""Judging: the verdict of one comparison, by the runbook's severity levels."""

from recon_core.judging.verdicts import cannot_judge, judge, judge_check, judge_values

__all__ = ["cannot_judge", "judge", "judge_check", "judge_values"]
