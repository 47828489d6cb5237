"""Results as a page to look at: what ``--json FILE`` wrote, shown with ``arenas.reports``.

The parts, lowest first; a module imports only from those above it::

    node                           a JSON value that knows where it stands, so that what is wrong with it can be named
    document                       a results file, as values
    costs, searches, reading       a benchmark's file; a search's; from any of these files to values
    names                          what to call each run, so that no two are called the same
    verdict, overview              the first screen
    promises, failures, throughput, footprints, runs, ratios     a section each
    build                          the page of several files
"""
