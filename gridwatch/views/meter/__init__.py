"""The page of one meter.

page.py      its state, from whichever worker owns it
history.py   its last readings, from the ends of the output topics
plot.py      the readings and gaps as a plot
"""
