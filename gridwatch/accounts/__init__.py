"""Who may use gridwatch's entrances and interfaces.

keys.py   API keys: made, shown once, kept as digests; pure
table.py  the keys in the database
ring.py   the valid keys in memory, for a service that verifies every request
"""
