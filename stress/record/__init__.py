"""Recording any Python program: it runs under memray, whose records become operations.

::

    program  running it, and the file memray leaves
    records  memray's records, one after the other, as operations of a recording
"""
