"""gridwatch compared with other frameworks on the same job, on a real Apache Kafka, in one run.

The job: parse a JSON reading of about 170 bytes, keep state per meter, classify it as late or on time, detect
missing readings, write one validated record per reading; state is durable where the contestant supports it
(RocksDB and changelog). A contestant's figure counts only if its outputs are correct, as a multiset of
(meter, timestamp, status). Usage: `python -m benchmarks --help`.
"""
