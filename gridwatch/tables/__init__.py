"""The persisted state: what a row looks like in bytes, and the RocksDB that holds it.

One RocksDB a partition holds one row a meter and one row for the partition itself (watermark, windows,
source offset). The changelog topic holds the same rows; either is rebuilt from the other's past.
"""
