"""The entrances under faults: what was promised to senders, against what is in the database.

    run.py        one seed from start to end
    schedule.py   the faults of a seed, and what carries them out
    senders.py    who sends: HTTP batches until 202, MQTT messages until PUBACK; and the ledger of promises
    mosquitto.py  a real MQTT broker that keeps its sessions
    proxy.py      connections between bridge and broker that can be cut
    checking.py   the ledger against the database

Readings that were answered 202, and messages with a time of their own that the MQTT broker acknowledged, have
to be in the database exactly once, with their values; messages without one at least once; every malformed one
is a dead letter. No fault-free run is needed to compare with: what has to be there is known exactly.
"""
