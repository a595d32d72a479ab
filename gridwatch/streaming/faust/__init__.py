"""The seam to Faust: batches of one partition in, exact acks out.

    transport.py     Faust's aiokafka transport, changed where batches, exact acks and resuming need it
    batches.py       one fetch of one partition as one Faust event
    fetching.py      what a fetch brought, a Kafka record batch at a time, and the offsets it answers for
    header_names.py  records whose header names are not UTF-8
    continuity.py    whether what comes joins on to what came before
    recovery.py      how far state is recovered, and that it comes to its end
    reader.py        what partition queues ask of the consumer
    assignor.py      who owns which partition, also for a worker that comes back at another address
    garbage.py       garbage in cycles, looked for by the clock
    program.py       an application as a program
    application.py   a Faust application with all of this in place

Faust is pinned exactly; `tests/unit/streaming/faust/test_faust_contract.py` holds every private part of it
that is leaned on here.
"""
