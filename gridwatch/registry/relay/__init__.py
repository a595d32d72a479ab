"""The relay: from the outbox to Kafka, at least once, one relay at a time.

outbox.py     the unpublished rows: which come next, which are done, which are old
records.py    a row of the outbox as records: topic, partition, key, headers, value
publisher.py  a producer that waits for every ack
service.py    the loop: lock, publish, mark; waits while Kafka or the database is away
"""
