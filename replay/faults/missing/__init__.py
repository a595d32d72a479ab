"""Faults that withhold readings; presets/missing.toml has them together.

gap.py      single readings
burst.py    a meter for a while
day.py      whole days of a meter
outage.py   all meters of a region
"""
