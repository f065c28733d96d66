"""Hook specifications, the plugin manager, and what plugins answer."""
