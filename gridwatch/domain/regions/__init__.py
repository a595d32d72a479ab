"""Regions: what the sources know of them, added up by quarter of an hour; and incidents.

A *source* is one partition of a flow that takes part. It sends a *bundle* whenever its watermark W crosses a
minute, also when it has nothing to say: content and progress in one record. A bundle whose W is not above
that known of its source is a repetition, and is skipped whole. Sources run ahead of each other by any time,
and what is published must not depend on that. So nothing is taken as it comes:

- A window is published when every source has passed its end, from the *initial* entry of each: what a source
  sent as it passed the end itself. Revisions that came meanwhile follow as an update, and the newest entries
  as the final row, once every source has passed the end by the lateness.
- Groups of meters are kept by the minute of their bundle, and applied to the picture of open gaps when every
  source has come to that minute. Incidents are evaluated then, at the minutes at which something came: a
  source that jumps a year costs no more than one that goes on by a minute.

A source that stands still holds all of this up, until a record in the log puts it *out*: then the others are
published without it, as incomplete. It is in again with its next bundle; windows whose end it passes late are
published again.

All state of a partition is in memory, and in rows of its own (``kept``), of which a commit writes those that
changed. Outputs and rows are functions of the log: of which records there are, in which order, and of nothing
else.

records.py     what comes in, and what goes out
kept.py        what is kept of sources, windows, regions, groups
state.py       the state of a partition
outcome.py     outputs and changed rows of some records
capacity.py    what a region can carry, and from when
load.py        the figures of a row
windows.py     when a row is published, and from what
groups.py      open gaps by group, minute by minute
incidents.py   many meters that fell silent together
processor.py   one step a record
standstill.py  which sources are to be put out
"""
