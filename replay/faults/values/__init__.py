"""Faults of what a reading says; presets/values.toml.

frozen.py     the same value over and over
zero_run.py   nothing is consumed
spike.py      far too high a value
garbage.py    bytes that are no reading
"""
