"""Contestants in a race over the same records.

comparison.py    all contestants round by round on each input, and what is made of it
race.py          one race: a contestant, its CPU time and its outputs
contestants.py   who takes part, and how each is started
environments.py  a virtual environment for each, with pinned packages
readings.py      the records of a race, and the outputs that are right
options.py       options that several benchmarks share
"""
