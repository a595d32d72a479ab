"""The HTTP entrance: batches of readings in, records on the raw topic out.

    POST /telemetry/batch ─► body.py (limits, gzip) ─► elements.py (array, NDJSON) ─► intake.py (the rules of
    the domain) ─► kafka/appending.py ─► smartmeter_raw;  202 once every accepted reading is acknowledged

connection.py  limits of a connection: how large a head may be, how long each part may take
body.py      a request's body within its limits of size and time
elements.py  the readings of a body, as bytes each
intake.py    what is accepted, and the reasons for what is not
problems.py  errors of a request as a whole, and their answers (RFC 9457)
limits.py    how many readings a caller may send
api.py       the application: what happens to a request
openapi.py   its description
health.py    readiness and metrics
service.py   everything put together, and the server

A reading that is accepted here is never dead-lettered later for its form: the same rules are asked with the
same policy. What it means in the stream (late, repeated, out of its grid) only the worker can say.
"""
