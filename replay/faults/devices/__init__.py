"""Faults of meters as devices; presets/devices.toml and presets/clocks.toml.

clock.py             clocks that are fast, slow, drift or jump
interval_change.py   another interval for a while
swap.py              a meter that is replaced by another one
reboot_storm.py      the meters of a region that restart again and again
"""
