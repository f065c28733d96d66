"""From what was borne out to explanations: unique, or ambiguous and what would decide."""
