"""The page of one meter.

page.py       its state, from whichever worker owns it
history.py    its last readings, from the ends of the output topics
recent.py     keeps what was read of a meter for a few seconds
windows.py    its newest windows of consumption, and their plots
anomalies.py  its anomalies, from the end of their topic
usual.py      what it usually uses, by its state
plot.py       the readings and gaps as a plot
"""
