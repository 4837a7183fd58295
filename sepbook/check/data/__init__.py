"""Checks for the labs on data. Taught on: book/data/corpus."""
