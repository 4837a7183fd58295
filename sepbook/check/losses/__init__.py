"""Checks for the labs of the chapter Losses and targets."""
