"""The entrances: what a reading costs on its way into Kafka, and how long it takes.

http.py       `gridwatch ingest` against a bare loop, in interleaved rounds
bare_http.py  the bare loop: Starlette and confluent-kafka, which parses and forwards, and no more
chain.py      how long a batch waits for its 202 while worker, sink and database work
mqtt.py       `gridwatch bridge`: messages per CPU-second, and latencies at a steady rate
"""
