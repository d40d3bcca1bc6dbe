"""Guidance outside the network: semantic edits, momentum, still pictures and residual CFG as pure functions."""
