"""`python -m edgeguard`."""

from edgeguard.cli import main

main()
