"""The adapter to Faust: batches of one partition in, exact acks out.

    transport.py     Faust's aiokafka transport, changed where batches, exact acks and resuming need it
    batches.py       one fetch of one partition as one Faust event
    fetching.py      the records of a fetch, a Kafka record batch at a time, and its range of offsets
    header_names.py  records whose header names are not UTF-8
    continuity.py    detects offset gaps and stale batches
    recovery.py      the progress of recovery, and re-reads of dropped changelog batches
    reader.py        the consumer, as the partition queues use it
    assignor.py      partition assignment, also for a static member with a new address
    garbage.py       garbage collection on a timer
    program.py       runs an application as a program
    application.py   a Faust application with all of this in place

Faust is pinned exactly; `tests/unit/streaming/faust/test_faust_contract.py` checks every private part of it
that is used here.
"""
