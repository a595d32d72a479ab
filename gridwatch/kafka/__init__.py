"""All clients of the brokers: administration, offsets, producers, record batches.

security.py          addresses, TLS and SASL in the form of each client library
broker.py            topics listed, created and compared, over an admin client
positions.py         offsets of topics and consumer groups
producers.py         idempotent producers, and the errors that are retriable
packing.py           rows into Kafka record batches
requests.py          produce requests without intermediate copies
emission.py          sends outputs as record batches and awaits every ack
broker_monitor.py    the state of brokers and topics for health, over a connection of its own
topic_identity.py    whether the broker's topics are still those that local state was built from
open_transactions.py open transactions that block the records after them
"""
