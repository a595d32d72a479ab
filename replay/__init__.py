"""Replay: turns meter files into a stream on the raw topic, with injected faults and a truth manifest."""
