"""Health and metrics: the same registries and the same three pages for every service.

Of every service:

    metrics.py         the registry of metrics: name, kind, meaning and labels of each
    exposition.py      values under those names, in the format of Prometheus
    checks.py          the registry of health checks: every reason not to be ready, with its remedy
    pages.py           `/live/`, `/ready/`, `/metrics/`, without any framework
    faust_pages.py     those pages on Faust's web server
    asgi_pages.py      those pages as routes of Starlette
    system_metrics.py  wall-clock metrics as records of the metrics topic
    progress.py        how long a position that should move has been stalled

Of a worker:

    worker.py          readiness and metrics of the whole worker: its stages, the brokers, the application
    stage.py           observes the partitions of one stage
    readings.py        what only the readings stage has: event time, meters, gaps
    regions.py         what only the stage `regions` has: windows that wait, sources that are out, incidents

A new service needs a name in metrics.py, entries in both registries, and an object that implements
`pages.Health`. Only faust_pages.py and the modules of the worker need Faust.
"""
