"""livevis: a live audio-reactive visual instrument. Sound in, picture out."""

__version__ = "0.1.0"
