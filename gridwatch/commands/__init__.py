"""The `gridwatch …` commands, one module each; `gridwatch/cli.py` lists them."""
