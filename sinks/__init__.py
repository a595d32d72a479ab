"""The database sink: a Faust application of its own that batches the output topics into PostgreSQL.

    app.py         the application: queues of batches in, offsets only after the commit
    decoding.py    records of one partition → rows, and dead letters for foreign records
    tables/        everything about each table, one file a table, and the list of them
    rows.py        rows in flight, each with its source record
    pool.py        several connections side by side, partition by partition
    store.py       batches that are ready together share a transaction
    writer.py      a batch to the database: committed, waited for, or halved until the bad row is found
    database_errors.py  whether an error is the row's fault or the database's
    connection.py  a connection: time-outs, temporary tables, one transaction
    refusals.py    dead letters of the sink's own; dead_letters.py sends them
    health.py      readiness and metrics, for /live/, /ready/, /metrics/; system_metrics.py for the metrics
    topic schema/        the revision of a schema, its upgrade, TimescaleDB, retention migrations/    the
    history of the schema database.py    how commands connect to the database, and what kind it is

A new table is a file in tables/, a line in the list there, and a migration.

Writes are idempotent, so every step may be repeated after a crash.
"""
