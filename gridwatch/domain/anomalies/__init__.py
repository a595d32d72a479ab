"""Anomalies: what a meter uses against what it usually uses. Defined in docs/anomalies.md.

anomaly.py   the output: one revision of one anomaly
window.py    what is judged: a window of consumption, or a slot of a meter with longer intervals
days.py      the kind of hour that a window lies in, by local time and holidays
habit.py     what a meter usually uses, and its runs of like windows
kinds.py     which kinds of anomaly a window alone begins or ends
life.py      one anomaly from its beginning to its end
judging.py   one window judged: habit and kinds to changes of lives
"""
