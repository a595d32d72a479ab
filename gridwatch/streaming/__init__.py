"""The seam to Faust: batches of one partition in, packed outputs out, one atomic commit of state.

    transport.py   Faust's aiokafka transport, changed where batches, exact acks and resuming need it
    batches.py     one fetch of one partition as one Faust event
    fetching.py    what a fetch brought, a Kafka record batch at a time, and the offsets it answers for
    header_names.py  records whose header names are not UTF-8
    continuity.py  whether what comes joins on to what came before
    reader.py      what lanes ask of the consumer
    assignor.py    who owns which partition, also for a worker that comes back at another address
    lanes.py       one ordered lane a partition: batches of different partitions overlap, of one never
    changelog.py   state appended a commit at a time by one writer, the others fenced
    recovery.py    how far state is recovered, and that it comes to its end
    ownership.py   a partition taken over: changelog, state, deadlines
    pipeline.py    a lane's work: decode and domain, outputs, changelog, RocksDB, ack
    garbage.py     garbage in cycles, looked for by the clock
    state_table.py the table of a worker's state, as Faust has it
    program.py     an application as a program
    application.py a Faust application with all of this in place

Faust is pinned exactly; `tests/unit/streaming/test_faust_contract.py` holds every private part of it
that is leaned on here.
"""
