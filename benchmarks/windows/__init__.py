"""Windows of consumption compared with other frameworks, how soon they are stored, and what they cost others.

minutes.py      the input: meters of 10 s, and the sums that are right
contestants.py  who takes part; the other frameworks' programs are in `benchmarks/peers/windows/`
latency.py      from the end of a minute to its rows in the database
live.py         readings at the pace of the clock, for that
pair.py         meters of 30 minutes, with windows and without
"""
