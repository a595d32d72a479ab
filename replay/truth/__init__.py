"""What a perfect detector must report of a replay, worked out apart from the worker.

perfect_detector.py   follows the sequence by the published rules, partition by partition
meter.py              one meter: its grid, what moves it, its gaps
grid_change.py        when readings show that a meter's grid has changed
remembered.py         the stamps of a meter that could come twice
stretches.py          faults that last, from when to when
anomalies.py          which faults are anomalies, and of which kind
findings.py           what can be known: a gap, a reading, a refusal, nothing, not judged
manifest.py           findings as JSON lines, written by a replay and read for the score
"""
