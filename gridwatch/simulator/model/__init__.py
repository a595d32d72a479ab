"""The physics: what every meter measures, as a pure function of (seed, meter, t).

From the bottom up; each module imports those above it in this list only:

draws.py        numbers from a hash of seed, name, who and when
classes.py      the classes of customers: curves, appliances, weather they feel
fleet.py        meters dealt to regions, feeders and transformers; class, scale, place on the line
calendar.py     quarters of UTC days in local time: hour, working day, height of the sun
weather.py      temperature and clouds of a region
curves.py       power that a class draws, by region and quarter of an hour
appliances.py   how long each appliance has run since the beginning
energy.py       the register of every meter at any instant: the one thing all else follows from
network.py      power to voltage, current, power factor; the frequency of the grid
readings.py     registers at the ends of intervals to what is read

Nothing is added up along the way: each part of the power has a sum over time in closed form, so a register
is known at any instant without its past, and readings are differences of registers. Everything is integer
arithmetic, but for a few tables made once and rounded, so that results do not depend on how work is cut.
Times are seconds since the Unix epoch, days those since EPOCH_DAY; energy is mJ inside, mWh outside.
"""
