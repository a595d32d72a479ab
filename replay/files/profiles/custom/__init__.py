"""Profiles from TOML files.

load.py      the file to a profile; its docstring shows every key
keys.py      the keys, each read by itself
marks.py     the keys of what stands between cells and within numbers
rules.py     which keys need each other, and which exclude each other
units.py     headers that contradict the unit
"""
