"""`python -m recon_core.cli` is `recon`."""

from recon_core.cli import main

main()
