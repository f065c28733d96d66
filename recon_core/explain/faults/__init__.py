"""The faults that rows allow, each an edit of them: of one fill, of all fees, of a span of time."""
