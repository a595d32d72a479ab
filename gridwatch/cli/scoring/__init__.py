"""What `gridwatch score` reads and shows: the database's side of a score, and how a score looks.

database  what was detected, and the readings around a difference
text      the score for a terminal
page      the score as one HTML file
"""
