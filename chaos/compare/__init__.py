"""What a run leaves, and how that differs from another.

snapshot.py     everything, by id and last revision
changelog.py    the state of a stage from its changelog
databases.py    the same from RocksDB, compared with the changelog
differences.py  the differences of two snapshots
"""
