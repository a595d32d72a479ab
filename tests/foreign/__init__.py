"""What other people's systems put on the raw topic: their real producers, and batches gone bad on disk."""
