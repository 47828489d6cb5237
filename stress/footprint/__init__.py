"""How much memory a recording needs at its peak: payload ÷ memory, of a heap and of the C allocators beside it.

Each is measured in a process of its own: a recording is laid out as a plan, the child carries it out in one thread
up to the moment when most payload is live, writes every byte of it, and then looks at what is in memory.

::

    plan      the operations up to the peak, in files that a child maps without allocating anything
    replay    carrying out a plan; a script that needs nothing but the standard library
    libraries which C allocators there are
    children  starting a process for each
    model     what came of it, and as a table
    __main__  the child that measures a heap
"""
