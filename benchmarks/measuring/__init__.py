"""What is measured, and with what.

percentiles.py  percentiles, and which part of a run was steady
samples.py      memory and open files over time
sampled.py      a program under a sampling profiler; stages.py: its stacks as stages of the worker
pacer.py        records at a given rate
start.py        a worker that starts with a million meters
home.py         rows of a home for its dashboard
in_process.py   the rules alone, without brokers; plain_count.py: the same counted by hand
chromium.py     pages in a headless Chromium
"""
