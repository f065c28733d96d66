"""Which keys and rows of the two sides belong together, and the checks of a whole session."""
