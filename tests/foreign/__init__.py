"""Foreign producers of the raw topic: real client libraries, and batches corrupted on disk."""
