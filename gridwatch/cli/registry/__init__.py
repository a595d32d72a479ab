"""The commands of the book of record.

meters.py   gridwatch registry
regions.py  gridwatch regions
outages.py  gridwatch outages
relay.py    gridwatch relay
shared.py   what they share: import, export, set and show of one kind of rows
interrupting.py  Ctrl-C ends a statement that the database is working on
"""
