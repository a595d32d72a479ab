"""What makes faults happen.

by_kind.py    the injector of each kind
processes.py  faults of workers and sinks: killed, frozen, joining, leaving
outages.py    of the broker and the database
disks.py      of data folders
records.py    of the changelogs and the committed offsets
"""
