"""Fault injection: one input with and without a seeded schedule of faults, the results compared.

    input.py       the records of the raw topic: meters with every kind of bad data, from one seed
    schedule.py    which faults, when, on which target: from one seed
    servers.py     the broker and the database that all runs share, and what is recreated for each
    service.py     a worker or sink with a failpoint, restarted by a supervisor when it exits
    entry.py       the services' own programs, with failpoints at named steps
    site.py        one deployment: its services, and when all its input is processed
    faults.py      the injector of each kind
    processes.py   faults of processes; outages.py: of the servers; disks.py: of data folders; records.py: of
                   the changelogs and committed offsets
    changelog.py   the state of a stage from its changelog; databases.py: from RocksDB
    feed.py        the producer of the input
    snapshot.py    everything that a run leaves, by id and last revision
    comparison.py  the differences of two snapshots
    resume.py      a replay that is killed and resumed, apart from all else
    subject.py     the system under test: a worker's application, and when its stages are complete
    cli.py         `gridwatch chaos`
    run.py         one seed from start to end; report.py prints its result

The services know nothing of this: the worker's pipeline and the sink's writer name their steps, and call a
hook at each.
"""
