"""`python -m benchmarks.anomalies`: see alarms.py."""

from benchmarks.anomalies.alarms import main

main()
