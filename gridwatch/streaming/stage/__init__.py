"""The runtime of a stage; `declaration.py` defines what a stage is.

declaration.py       one job of the worker: source, table, processor, codecs
worker.py            the stages of a worker in one application
partition_queues.py  one ordered queue a partition; partitions are processed concurrently
pipeline.py          processes a batch: processor, outputs, changelog, RocksDB, ack
take_over.py         takes over a partition: fences its changelog and loads its state
changelog.py         the single writer of a changelog partition; others are fenced
state_table.py       the Faust table of a stage's state
dead_letter_limit.py detects a source whose records are mostly invalid
"""
