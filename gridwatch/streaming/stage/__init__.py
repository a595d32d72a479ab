"""The machinery of a stage, written once: `declaration.py` says what a stage is.

declaration.py       one job of the worker: source, table, processor, codecs
worker.py            the stages of a worker, side by side in one application
partition_queues.py  one ordered queue a partition: batches of different partitions overlap, of one never
pipeline.py          the work on a batch: processor, outputs, changelog, RocksDB, ack
take_over.py         a partition taken over: changelog, state, what the processor has to know of it
changelog.py         state appended a commit at a time by one writer, the others fenced
state_table.py       the table of a stage's state, as Faust has it
dead_letter_limit.py when what comes of a source is wrong as a whole
"""
