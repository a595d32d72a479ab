"""Windows of consumption: what each meter used in each minute and quarter of an hour of event time.

A window has no state of its own. It is computed from the remembered readings of its meter in the moment in
which it is emitted: when the watermark has reached its end, and again, with its next revision, when it
crosses the next minute after one of those readings changed. So a revision of a window is exact whatever has
changed in it, and nothing has to be stored for the windows of a meter but what their readings measured.
Where many readings come in order, their sums are kept besides while the window is open: the same, sooner.

sums.py         the sums of the readings in a window
aggregate.py    one window of one meter, from its readings
running.py      sums of windows that are open, kept reading by reading
due.py          which windows end when
ended.py        windows that change after their end
"""
