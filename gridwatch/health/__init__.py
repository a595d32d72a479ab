"""Whether a service is well, and what it counts: the same registries and the same three pages for all.

Of every service:

    metrics.py         the registry of metrics: name, kind, meaning and labels of each, once
    exposition.py      values under those names, and the text that Prometheus reads
    checks.py          the registry of health checks: every reason not to be ready, with its remedy
    pages.py           `/live/`, `/ready/`, `/metrics/`, without any framework
    faust_pages.py     those pages on Faust's web server
    system_metrics.py  a value by wall clock as a record of the metrics topic
    progress.py        how long a position that should move has been stalled

Of a worker:

    worker.py          all of its stages, the brokers and the application: reasons and numbers
    stage.py           what is watched of the partitions of one stage
    readings.py        what the readings stage has beside: event time, meters, gaps

A further service has a name in metrics.py, lines in both registries, and an object with what `pages.Health`
asks for. None of those modules needs Faust but those that look at it.
"""
