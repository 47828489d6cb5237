"""Whatever is tested: the heap in all its modes, its peers, and anybody's pool, behind one seam.

The parts, lowest first; a module imports only from those above it::

    protocol                            the seam: what the checking side needs of an allocator
    mapping                             a heap's snapshot as a map
    heap                                what all faces of an arenas heap have in common; by address, by handle
    local, drops, arrays, views         a heap through façades; blocks let go; arrays; freed under a live view
    offsets                             a heap over a bare address space
    unreliable                          where memory fails on purpose
    heaps                               the heaps by name: a face, and where its memory comes from
    pool, adapted                       the small protocol for anybody's pool; a pool behind the full seam
    peers, c_library                    what else there is in Python; the C library's own
    registry                            which allocators there are, by name
"""
