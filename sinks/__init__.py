"""The database sink: a Faust application of its own that batches the output topics into PostgreSQL."""
