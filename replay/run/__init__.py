"""One replay from its request to its summary. Where files, order, faults, sending and truth are put together.

replay.py     the replay itself: `plan` for a dry run, `send` for the topic
request.py    what is asked of it
inputs.py     the files that it reads, their profile and their layouts
delivery.py   each item of the sequence sent in its turn, paced and counted
summary.py    what was found and done, for people and for `--json`
progress.py   a bar in a terminal, a line now and then elsewhere
"""
