"""`gridwatch demo`: the whole chain in one command, in a temporary folder that is removed at the end.

run.py          the steps, one after the other      stages.py     their progress display
figures.py      the figures of the summary          summary.py    the summary in a terminal
report.py       the same with plots, as one HTML file (report.html is its template)
grid.py         the regions that the meters are in

Worker and sink are child processes (`gridwatch.deployment`).
"""
