"""The database sink: a Faust application of its own that batches the output topics into PostgreSQL.

    app.py         the application: queues of batches in, offsets only after the commit
    intake.py      records of one partition → rows, and dead letters for what is foreign
    tables/        everything about each table, one file a table, and the list of them
    rows.py        rows on their way, each with the record it comes from
    pool.py        several connections side by side, partition by partition
    store.py       batches that are ready together share a transaction
    writer.py      a batch to the database: committed, waited for, or halved until the bad row is found
    outages.py     whose fault an error is: the row's or the database's
    connection.py  a connection: time-outs, temporary tables, one transaction
    refusals.py    dead letters of the sink's own; dead_letters.py sends them
    health.py      what the sink knows of itself, for /live/, /ready/, /metrics/; system_metrics.py beside it
    schema/        where a database's schema stands, bringing it up to date, how long rows are kept
    migrations/    the history of the schema
    database.py    how commands reach the database, and what kind it is

A new table is a file in tables/, a line in the list there, and a migration.

What is written twice is written once, so every step may be done again after a crash.
"""
