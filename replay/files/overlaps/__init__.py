"""Hours and days of one meter: two series of different steps at one time are refused, whatever their files.

walk.py       the regular runs of one series, and their steps
watch.py      the walks of all series while rows are read
pairs.py      which series of a meter have different steps at one time
evidence.py   whether the values of both say that the energy would count twice
refusal.py    the pass over these meters, and the error
"""
