"""Files that `recon init` writes."""
