"""From the database back to files: readings as they stand, or how complete each meter's days are.

    queries   what is asked, in SQL, and the columns of the answer
    files     the answer as CSV or Parquet, whole or not at all

Rows are streamed: a server-side cursor on one side, a file that is written batch by batch on the other.
"""
