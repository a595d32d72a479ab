"""Classifies database errors: the row is at fault, or the database is.

A row at fault will be refused on every retry, so it is isolated and becomes a dead letter. Everything else
(connection lost, server shutting down, disk full, lock held, deadlock, schema being changed) is transient:
the batch is retried until it is committed, because waiting loses nothing.
"""

from __future__ import annotations

import psycopg2
import psycopg2.errors

#: SQLSTATE classes of errors in the row: data exception, integrity constraint, program limit exceeded
#: (an index row too large).
_ROW_CLASSES = ("22", "23", "54")
#: Except unique_violation: rows with equal keys are merged, so it comes from a concurrent transaction.
_EQUAL_KEYS = "23505"


def is_row_at_fault(error: Exception) -> bool:
    """True when the same rows would be refused again."""
    if isinstance(error, psycopg2.Error):
        code = error.pgcode or ""
        return code[:2] in _ROW_CLASSES and code != _EQUAL_KEYS
    return isinstance(error, ValueError)  # text that no database can take, found while encoding it


def is_too_slow(error: Exception) -> bool:
    """True when the statement was cancelled: it took too long, and a smaller batch may not."""
    return isinstance(error, psycopg2.errors.QueryCanceled)


def describe(error: Exception) -> str:
    """The first line of the database's message, with its SQLSTATE."""
    text = str(error).strip()
    line = text.splitlines()[0] if text else type(error).__name__
    code = getattr(error, "pgcode", None)
    return f"{line} ({code})" if code else line
