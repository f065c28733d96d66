"""Where to search: whose rows say something about whose fault, and what is needed there."""
