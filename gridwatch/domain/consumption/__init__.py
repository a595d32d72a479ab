"""Windows of consumption: what each meter used in each minute and quarter of an hour of event time.

A window has no sums of its own. It is computed from the remembered readings of its meter in the moment in
which it is emitted: when the watermark has reached its end, and again, with its next revision, when it
crosses the next minute after one of those readings changed. So a revision of a window is exact whatever has
changed in it, and nothing has to be stored for the windows of a meter but what their readings measured.

aggregate.py    one window of one meter, from its readings
due.py          which windows end when
ended.py        windows that change after their end
windows.py      the windows of a partition: what a step does to them
"""
