"""Answers: the proven hypotheses of a step, their doubts, and the explanation that results."""
