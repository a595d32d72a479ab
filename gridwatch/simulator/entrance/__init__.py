"""The mode `http`: readings to `gridwatch ingest`, a batch a request, one request at a time.

    rows ──► batches.py ──► client.py ──► POST /telemetry/batch ──► reply.py ──► position.py

A batch is given to the client until the service has answered for it; only then its last row is kept as the
position, and the next batch begins. So nothing is skipped, and at most one batch is sent twice after an
interruption: the worker drops its readings as duplicates. Only readings can go this way: the entrance takes
neither ticks nor control records.

options.py   --url and --key-file
address.py   where the service is, and the key for it
client.py    one connection: requests, and waiting while the service is away
reply.py     what the service said: rejected readings, or why it refuses the request
position.py  the last acknowledged row of a run, in a file
batches.py   the mode and its target: rows to batches
"""
