"""From a recorded session and a policy to comparisons, verdicts and a summary."""
