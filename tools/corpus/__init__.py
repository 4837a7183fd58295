"""Renders the built-in corpus of sepbook: songs with four stems, and talkers. Run ``python -m tools.corpus``."""
