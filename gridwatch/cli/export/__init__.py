"""Exports from the database to files: readings, or the completeness of each meter's days.

    queries   the queries, and the columns of their results
    files     writers of CSV and Parquet, atomic

Rows are streamed: from a server-side cursor into a file, batch by batch.
"""
