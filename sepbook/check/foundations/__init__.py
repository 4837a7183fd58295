"""Checks for the labs on foundations, one module per lab. Taught on: book/how_to_read."""
