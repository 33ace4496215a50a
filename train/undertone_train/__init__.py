"""Training of Undertone's speech enhancer (Model 1).  See docs/TRAINING.md."""
