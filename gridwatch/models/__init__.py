"""The record of each topic, one file a topic. Shapes only, no rules."""
