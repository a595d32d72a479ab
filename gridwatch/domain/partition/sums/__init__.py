"""What a partition adds up, in the order of a step: windows of consumption, each judged, then bundles for the
regions.

totals.py         the entry: readings, and what happens as time crosses a minute
contribution.py   what one reading contributes
windows.py        which windows of consumption a reading is in
emission.py       when those are emitted
anomalies.py      which windows and slots are judged
lives.py          the anomalies of the meters
regions.py        sums of the regions, and the meters in them
bundles.py        what is said to the stage that adds up the regions

Clean readings are not added up in their step but noted in a list, which is worked off before anything else
happens: before a reading of another kind, a control record, a crossing, and at the end of a call.
"""
