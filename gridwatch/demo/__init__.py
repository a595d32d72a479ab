"""`gridwatch demo`: the whole chain on one command, in a temporary folder, and nothing left behind.

run.py          the stages, one after the other     stages.py     how they are shown while they go
figures.py      what the summary says               summary.py    the summary in a terminal
report.py       the same with plots, as one HTML file (report.html is its template)

Worker and sink are child processes (`gridwatch.deployment`).
"""
