"""gridwatch beside others on the same job, on a real Apache Kafka, in one run.

The job: parse a JSON reading of about 170 bytes, keep state per meter, tell late from on time, find
missing readings, write one validated record a reading; state is durable where the contestant has it so
(RocksDB and changelog). A contestant's figure counts only if its outputs equal everybody's as a
multiset of (meter, timestamp, status). `python -m benchmarks --help` says how to run it.
"""
