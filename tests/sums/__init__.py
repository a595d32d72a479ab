"""A second stage beside the worker's own, to prove that the machinery is the same for every stage.

smartmeter_validated ──► sums ─┬─► smartmeter_sums            each meter's sum at every tenth reading
                               ├─► smartmeter_dead_letters    what is no validated reading
                               └─► sums (RocksDB) + changelog

rules.py    the pure processor: keyed sums, repeated inputs skipped by their origin
stage.py    the declaration
app.py      a worker with both stages
subject.py  what `gridwatch chaos --subject tests.sums.subject:BOTH` puts to the test
"""
