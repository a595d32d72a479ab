"""Fault injection: one input with and without a seeded schedule of faults, the results compared.

    cli.py       `gridwatch chaos`
    run.py       one seed from start to end; report.py prints its result
    schedule.py  which faults, when, on which target: from one seed
    injectors/   what carries them out
    input.py     the records of the raw topic: meters with every kind of bad data, from one seed
    feed.py      the producer of the input
    site.py      one deployment: its services, and when all its input is processed
    servers.py   the broker and the database that all runs share, and what is recreated for each
    service.py   a worker or sink with a failpoint, restarted by a supervisor when it exits
    entry.py     the services' own programs, with failpoints at named steps
    entrances/   the HTTP and MQTT entrances under faults: what was promised, against what is stored
    subject.py   the system under test: a worker's application, and when its stages are complete
    compare/     what two runs leave, and how that differs
    resume.py    a replay that is killed and resumed, apart from all else

The services know nothing of this: the worker's pipeline and the sink's writer name their steps, and call a
hook at each.
"""
