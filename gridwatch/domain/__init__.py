"""The rules of gridwatch, and nothing else.

Pure: the standard library only, no I/O, no wall clock. Time is an argument, always: int microseconds
since the Unix epoch, UTC; durations are int microseconds too. The answer is a function of the log: the
same records of one raw partition give the same outputs and the same states, however they are cut into
batches.

Where each rule lives:

- ``validation``   what a record must be to count as a reading; every reason why it does not
- ``repeated_hour``  which pass of a repeated hour a stamp without offset means
- ``guesses``, ``binary_guesses``, ``field_guesses``, ``stamp_guesses``  what a refused record probably was
- ``instants``     time stamps, in and out
- ``partitioning`` which partition a meter belongs to
- ``watermark``    how far event time has come, and the guard against one clock that runs ahead
- ``ticks``        when a partition that has fallen silent is moved on, and where to
- ``timeliness``   on time, late, too late; duplicates and revisions
- ``grid``         the slots of a meter
- ``arrival``      a reading meets its meter: which slot it fills and what that does to a gap
- ``settlement``   slots become missing, silent meters are dropped
- ``gaps``         the life of one gap
- ``intervals``    how the interval of a meter is known, learned and changed
- ``windows``      counts by event-time window
- ``deadlines``    the index: which meter is due next
- ``meter``, ``partition``  the states; ``policy`` the settings
- ``reading``, ``outputs``, ``outcome``  what goes in and comes out
- ``reception``, ``stepper``  one step, with care; ``workbench`` what a step may do to the states
- ``processor``    the one entry point: (policy, states, records) -> (outputs, changed states)
"""
