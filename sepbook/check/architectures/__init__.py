"""Checks for the labs on architectures, one module per lab. Taught on: book/how_to_read."""
