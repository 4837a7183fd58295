"""Checks for the labs of the chapter Building blocks."""
