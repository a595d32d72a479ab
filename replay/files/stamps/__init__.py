"""Stamps to instants.

stamps.py           texts of stamps to instants, each read once
local_time.py       local times to instants, also in hours that the clocks skip or repeat
unread.py           texts that are no stamps: what they seem to be
midnights.py        midnights under the date of the day that they end
repeated_hours.py   which of two instants a row means, from the order of a meter's rows
moments.py          stamps in several cells, or from one stamp until another
day_slots.py        intervals of a local day by their number
"""
