"""Anomalies: what they cost, and how often they are found in the data of real meters.

alarms.py    anomalies per meter and year in files of real meters
judged.py    files through the rules, in process

`python -m benchmarks.anomalies` is the first of them.
"""
