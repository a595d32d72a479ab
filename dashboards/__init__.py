"""Grafana dashboards as code: `make dashboards` writes them to json/, and a test holds the two together.

    queries.py     a question to the database or to Prometheus, as Grafana keeps it; what variables filter by
    panels.py      the kinds of panels, each with its look
    variables.py   meter, region, partition, interval
    overview.py    Data Quality Overview: what is wrong now, since when, one meter or a region
    drill_down.py  Meter Drill-Down: one meter's readings, gaps, late ones and revisions
    health.py      System & Stream Health: is the detector itself in order
    …_sql.py       what each of them asks
    expansion.py   a question as the database gets it, for tests and measurements

Questions are plain SQL that PostgreSQL and TimescaleDB both answer, by the names in `sinks/tables/`.
Needs Python 3.11, which Grafana's SDK does; gridwatch itself needs none of this to run.
"""
