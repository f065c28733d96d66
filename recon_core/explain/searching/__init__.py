"""One and two faults that are what is needed, found by hashing what their edits book."""
