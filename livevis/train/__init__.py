"""Training recipes. Imports torch, so nothing of the stage process may import this package."""
