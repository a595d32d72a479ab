"""Faults of what a reading says; presets/values.toml, and those that are anomalies in presets/anomalies.toml.

frozen.py        the same value over and over
zero_run.py      nothing is consumed
spike.py         far too high a value
scaled.py        far more or far less than usual, for a while
level_shift.py   more or less than before, for days or for ever
reverse_flow.py  power that is fed in
measures.py      a voltage, frequency or power factor out of range
garbage.py       bytes that are no reading
"""
