"""The sequence to the raw topic, and where an interrupted replay resumes.

sender.py      items into record batches, with the row number that resuming needs
appender.py    batches to partitions, from a thread of its own, one batch a partition at a time
placement.py   the partition of a meter
position.py    how far an earlier run of the same replay got, read from the topic itself
pacing.py      when an item is due: event time against wall time
"""
