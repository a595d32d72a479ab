"""What the registry says of meters, as it stands in the log: control records and what follows from them.

- ``records``       control records, validated
- ``fields``        the fields of one
- ``entry``         what holds for a meter from some time on
- ``registration``  what is known of one meter: from when on which entry holds; meters never heard
- ``outages``       planned outages
- ``plan``          which slots of a meter are planned to be missing
"""
