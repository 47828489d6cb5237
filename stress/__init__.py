"""The stress runner: known workloads, and recordings of real programs, on any allocator, every byte checked; and a
benchmark.

In a checkout it is ``python -m stress``; the wheel carries the same package as ``arenas_stress`` with the command
``arenas-stress``. So its modules import each other relatively, and nothing here may spell the package's own name.

The layers, lowest first; a module imports only from its own line and those above it::

    errors                          what can go wrong besides the allocator
    trace, gates, pattern, faults   reading a recording; waiting; filling and checking; what was found
    named, placements, mishaps      anybody's function by name; placements by name; what goes wrong on purpose
    examples                        pools to begin one's own adapter from
    audit, allocators               proving a heap's books; what can be tested, behind one seam
    sweep                           no two live blocks on the same bytes
    client, referee, suspects       one thread's way to the allocator, every byte checked; what all share; who did it
    results, machine                what one run came to; what it ran on
    channel, monitor, stage         handing over; watching; the threads, time and chance that a workload is given
    workloads                       one a file
    proof, run                      the end of a run; one run from start to proof
    schedule, replay                a recording split into threads; a recording as a workload
    footprint                       payload ÷ memory at a recording's peak, of heaps and of C allocators
    record                          running a program and recording what it allocates
    recordings, table, progress     finding inputs; lines in columns; showing what happens
    report                          showing what happened
    batch                           several runs, announced and reported
    rounds, growth                  what a soak does next; whether the process grows meanwhile
    bench                           measuring the heap beside what a user would pick instead
    interleave                      a few threads again and again, taking turns in every way
    page                            results as a page to look at
    commands                        one command a file
    cli, __main__                   from words to a command, from errors to exit statuses
"""
