"""How records become committed state.

faust/   the adapter to Faust: a fetch of one partition as one event, exact acks, dropped batches detected
stage/   the runtime of a stage: ordered processing, one atomic commit, fencing, take-over
"""
