"""Faults planted on purpose, one at a time: would a test notice? See `__main__.py`."""
