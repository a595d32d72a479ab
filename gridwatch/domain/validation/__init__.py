"""What makes a record a valid reading.

rules.py           what is checked, in which order
findings.py        every reason to reject it, and how they are collected
energy_fields.py   the fields that its energy comes from
intervals.py       the interval that a reading gives
guesses.py         what a rejected record probably was, for the message of its dead letter
field_guesses.py   … a field under another name, or in another unit
stamp_guesses.py   … a time stamp of another form
binary_guesses.py  … bytes that are not JSON
"""
