"""Contestants in a race over the same records.

race.py          one race: each contestant in turn, its CPU time and its outputs
contestants.py   who takes part, and how each is started
environments.py  a virtual environment for each, with pinned packages
readings.py      the records of a race, and the outputs that are right
options.py       options that several benchmarks share
"""
