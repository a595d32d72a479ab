"""The truth against what was detected.

score.py     pairs what was expected with what was found: every difference by name
figures.py   what a score consists of: rates, edges, differences
"""
