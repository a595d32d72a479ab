"""The `gridwatch …` commands, one module each; `gridwatch/cli/__init__.py` lists them."""
