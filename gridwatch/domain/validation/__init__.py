"""What a record must be to count as a reading.

rules.py           every reason why it does not
guesses.py         what a refused record probably was, for the message of its dead letter
field_guesses.py   … a field under another name, or in another unit
stamp_guesses.py   … a time stamp of another form
binary_guesses.py  … no JSON at all
"""
