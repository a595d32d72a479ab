"""The input and output of `gridwatch score`.

database  reads what was detected, and the readings around a difference
text      the score for a terminal
page      the score as one HTML file
"""
