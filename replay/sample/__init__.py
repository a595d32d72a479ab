"""Meter data that is made up: realistic, and the same for the same options.

households.py   consumption as a function of seed, meter and instant
lines.py        the same as lines of CSV, in the forms of several profiles
"""
