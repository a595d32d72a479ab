"""The schema of the database: where it stands, how it is brought up to date, and how long rows are kept.

    version.py     the revision that a database is at, and bringing it to the newest one
    storage.py     the settings of chunks, compression and retention, by table
    timescale.py   what TimescaleDB does for the tables, brought to those settings
    extension.py   whether a database has TimescaleDB, can have it, or why it stays plain
    retention.py   removing what is too old from plain tables

What the tables are stands in `sinks/tables/`; how they came to be, in `sinks/migrations/`.
"""
