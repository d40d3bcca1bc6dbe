"""One network on one runtime."""
