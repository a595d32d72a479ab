"""The other contestants: each a program of its own, run in its own virtual environment.

They share the job (`rules.py`, standard library only) and are configured by environment variables:
BENCH_BOOTSTRAP, BENCH_INPUT, BENCH_OUTPUT, BENCH_PARTITIONS, BENCH_DATADIR.
"""
