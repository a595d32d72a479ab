"""Exports from the database to files: readings, completeness of days, windows, regions and incidents.

    queries      what a query is; readings, and the completeness of each meter's days
    aggregated   windows of consumption, the load of the regions, incidents
    counts       what was written, counted
    files        writers of CSV and Parquet, atomic

Rows are streamed: from a server-side cursor into a file, batch by batch.
"""
