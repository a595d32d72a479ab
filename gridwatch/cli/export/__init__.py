"""Exports from the database to files: readings, completeness of days, what follows from them, and a home.

    queries      what a query is; readings, and the completeness of each meter's days
    aggregated   windows of consumption, the load of the regions, incidents, anomalies
    homelab      what the devices of a home measured
    counts       what was written, counted
    files        writers of CSV and Parquet, atomic

Rows are streamed: from a server-side cursor into a file, batch by batch.
"""
