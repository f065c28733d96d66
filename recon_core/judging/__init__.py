"""Judging: the verdict of one comparison, by severity (design, "Severity levels")."""

from recon_core.judging.verdicts import cannot_judge, judge, judge_check, judge_values

__all__ = ["cannot_judge", "judge", "judge_check", "judge_values"]
