"""Training: where to run, the loop itself, and checkpoints that survive anything."""
