"""Faults of the way to the topic: late, twice, or with another value; presets/network.toml.

delay.py       single readings that come late
upload.py      a meter that sends all at once after its connection was lost
duplicate.py   readings that are sent twice
revision.py    readings that are sent again with another value
"""
