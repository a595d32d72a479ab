"""`--profile auto`.

detect.py   which profile a file has, and why
fit.py      whether columns and values of a file are what the profile expects
"""
