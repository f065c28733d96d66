"""Answers: the proven hypotheses of a step, what is in doubt, and the explanation that results."""
