"""Facts that a format cannot know, as its readers declare them and reports show them."""


def limits_note(recording_format: str, cannot_know: tuple[str, ...]) -> str:
    """Return one note for a report: the facts that a side of this format does not state."""
    return f"not told by {recording_format}: {'; '.join(cannot_know)}"
