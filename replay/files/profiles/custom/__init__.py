"""Profiles from TOML files.

load.py      the file to a profile; its docstring shows every key
keys.py      the keys, each read by itself
rules.py     which keys need each other, and which exclude each other
units.py     headers that contradict the unit
"""
