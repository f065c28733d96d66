"""What is read off and not searched for: rows that both sides give, and order reports."""
