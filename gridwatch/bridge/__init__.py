"""The MQTT entrance: what devices of a home publish, as records of Kafka.

    MQTT broker ─► session.py ─► translation.py ─► kafka/appending.py ─► homelab.*, smartmeter_raw
         ▲                                                │
         └── PUBACK, in order, after Kafka's ack ─────────┘     bridge.py

formats/         one small decoder a payload format; pure
filters.py       topic filters of MQTT; pure
rules.py         which messages become what
translation.py   a message as rows of Kafka; pure
config.py        the configuration file
session.py       the session with the MQTT broker
client.py        the client of paho-mqtt that it uses
wire.py          the bytes of its connection
bridge.py        messages in, rows out, acknowledgements back
explain.py       what a message would become, for people
health.py        readiness and metrics
service.py       everything put together, and its pages

A message with a time of its own is in the database exactly once, whatever dies in between: it is delivered
again until it is acknowledged, and rows with one device and time are one. A message without one is there at
least once.
"""
