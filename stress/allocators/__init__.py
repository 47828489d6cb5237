"""Whatever is tested: the heap in all its modes, its peers, and anybody's pool, behind one seam.

The parts, lowest first; a module imports only from those above it::

    protocol   the seam: what the checking side needs of an allocator
    heap       the faces of an arenas heap
    registry   which allocators there are, by name
"""
