"""What the registry says of meters, as it stands in the log: control records and what follows from them.

- ``records``       control records: their fields, validated
- ``registration``  what is known of one meter: from when on which entry holds; meters never heard
- ``outages``       planned outages
- ``plan``          which slots of a meter are planned to be missing
"""
