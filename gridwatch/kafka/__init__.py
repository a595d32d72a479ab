"""What talks to the brokers: administration, positions, producers and what they send.

    security.py          addresses, TLS and SASL in the form of each client library
broker.py            topics listed, created and compared, by an administrator's connection
positions.py         how far a consumer group has come in a topic
producers.py         how a producer is connected, and which failures waiting fixes
packing.py           rows into Kafka record batches
requests.py          produce requests, joined once
emission.py          outputs packed into Kafka record batches, every ack awaited
broker_monitor.py    what the brokers answer to health, over a connection of its own
topic_identity.py    whether the broker's topics are still those that local state was made from
open_transactions.py transactions that hold back what is behind them
"""
