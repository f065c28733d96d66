"""Foreign recordings, one module per format, each an extension of the core."""
