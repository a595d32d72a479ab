"""How records become committed state.

faust/   the seam to Faust: a fetch of one partition as one event, exact acks, nothing dropped unseen
stage/   what is done with the batches of a stage: ordered work, one atomic commit, fencing, take-over
"""
