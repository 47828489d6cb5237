"""Pools to begin one's own adapter from: each runs as it is, as ``--allocator`` with its name and ``:make``."""
