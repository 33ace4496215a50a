"""Model D: judges of detectability.  Features and ensembles (features, rich, fld), networks (srnet, zhunet), and one command that measures (judge)."""
