"""The wire: what a record of each topic looks like, one file a topic. Shapes only, no rules."""
