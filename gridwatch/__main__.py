"""`python -m gridwatch` is the same as the `gridwatch` command."""

from gridwatch.cli import main

main()
