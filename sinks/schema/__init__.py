"""The schema of the database: its revision, its upgrade, and the retention of rows.

    version.py     the revision of a database, and its upgrade to the newest one
    storage.py     the settings of chunks, compression and retention, by table
    timescale.py   hypertables, compression, summaries and policies on TimescaleDB, by those settings
    extension.py   whether a database has TimescaleDB, can have it, or why it stays plain PostgreSQL
    retention.py   deleting rows past their retention from plain tables

The tables are declared in `sinks/tables/`, their history is in `sinks/migrations/`.
"""
