"""What one source partition contributes to the load of the regions: exact sums, which a later stage adds up.

place.py     where a meter counts
group.py     how many meters count where, over event time
quarter.py   the sums of one region and quarter of an hour
"""
