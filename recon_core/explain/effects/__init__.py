"""Effects of rows as vectors: postings, patches of rows, fee schedules, open positions."""
