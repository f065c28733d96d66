"""An independent examination of the explanations; see README.md."""
