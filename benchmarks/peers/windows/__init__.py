"""The job "windows" as the others do it: what each meter used in each minute of event time, once it is over.

Each is a program of its own with the environment variables of the other job; they share `rules.py`.
"""
