"""The learned hider: what attacks it in training, and what it is judged by (docs/HIDER.md)."""
