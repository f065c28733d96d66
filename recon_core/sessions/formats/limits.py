"""What a format cannot know, as its readers declare it and reports show it."""


def limits_note(recording_format: str, cannot_know: tuple[str, ...]) -> str:
    """One note for a report: what a side or session of this format does not tell."""
    return f"not told by {recording_format}: {'; '.join(cannot_know)}"
