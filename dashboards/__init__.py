"""Grafana dashboards as code: `make dashboards` writes them to json/, and a test compares the two.

    overview.py    Data Quality Overview: problems now, since when, one meter or a region
    drill_down.py  Meter Drill-Down: one meter's readings, gaps, late ones and revisions
    fleet.py       Fleet: the meters of the registry, what is planned, what has changed
    grid.py        Grid Load: incidents, the load of the regions, what is known too little of
    anomalies.py   Anomalies: what is out of the ordinary, of which kind, and one meter's power against it
    home.py        Home Energy: what a home's devices measure, and which of them are silent
    health.py      System & Stream Health: whether gridwatch itself works
    sql/           the queries of each
    frame.py       what all dashboards share
    panels.py      the kinds of panels, each with its options
    marks.py       regions on plots over time: annotations
    variables.py   meter, flow, region, partition, interval, kind, confidence, device
    queries.py     queries to the database and to Prometheus, and the conditions of variables
    expansion.py   expands a query as Grafana does, for tests and benchmarks

Queries are plain SQL for both PostgreSQL and TimescaleDB, on the tables in `sinks/tables/` and those of the
registry (`docs/registry.md`).
Needs Python 3.11, which Grafana's SDK does; gridwatch itself needs none of this to run.
"""
