"""Proof by trouble: the same input once undisturbed and once under a seeded schedule of faults, compared.

    input.py       what is put on the raw topic: meters that do everything wrong, from one seed
    schedule.py    which faults, when, to whom: from one seed
    servers.py     the broker and the database all runs share, and what is made anew for each
    service.py     a worker or sink that is started again when it ends, and ends itself where it is told to
    entry.py       the services' own programs, with a way to end them at a named step
    site.py        one deployment: its services, and when everything is done
    processes.py   faults of processes; outages.py: of the servers; disks.py: of data folders; records.py: of
                   what the broker keeps
    changelog.py   the state of every meter as the changelog has it; databases.py: as RocksDB has it
    snapshot.py    everything a run leaves, as a reader by id sees it
    comparison.py  two snapshots
    resume.py      a replay that is killed and resumed, apart from all else
    subject.py     what is put to the test: a worker's application, and how its stages are judged
    cli.py         `gridwatch chaos`
    run.py         one seed from start to end; report.py says how it went

Nothing of this is known to the services: the worker's pipeline and the sink's writer name their steps, and
here they are watched.
"""
