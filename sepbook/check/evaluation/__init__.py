"""Checks for the labs on evaluation. Taught on: book/evaluation/metrics."""
