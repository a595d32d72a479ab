"""The persisted state: the encoding of its rows, and the RocksDB that stores them.

One RocksDB a partition holds one row a meter and one row for the partition itself (watermark, windows,
source offset). The changelog topic holds the same rows, and RocksDB is rebuilt from it.
"""
