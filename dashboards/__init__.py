"""Grafana dashboards as code: `make dashboards` writes them to json/, and a test holds the two together.

    overview.py    Data Quality Overview: what is wrong now, since when, one meter or a region
    drill_down.py  Meter Drill-Down: one meter's readings, gaps, late ones and revisions
    health.py      System & Stream Health: is the detector itself in order
    overview_sql.py, drill_down_sql.py, health_sql.py  the queries of each
    frame.py       what all of them have in common
    panels.py      the kinds of panels, each with its look
    variables.py   meter, region, partition, interval
    queries.py     a query to the database or to Prometheus, as Grafana keeps it; what variables filter by
    expansion.py   a query as the database gets it, for tests and measurements

Questions are plain SQL that PostgreSQL and TimescaleDB both answer, by the names in `sinks/tables/`.
Needs Python 3.11, which Grafana's SDK does; gridwatch itself needs none of this to run.
"""
