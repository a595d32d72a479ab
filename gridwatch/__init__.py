"""gridwatch: watches a stream of electricity meter readings as it flows."""

__version__ = "0.1.0"
