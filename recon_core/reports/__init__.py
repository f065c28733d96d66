"""Reports: pure functions of judgements, diffs and summaries."""
