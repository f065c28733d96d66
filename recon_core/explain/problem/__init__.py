"""Search problems: the effect to explain, the rows it is searched in, and their postings."""
