"""Checks for the labs of the chapter Evaluation."""
