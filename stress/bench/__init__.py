"""The benchmark: what the heap costs, beside what a user would pick instead, losses included.

The parts, lowest first; a module imports only from those above it::

    model, budget        what is measured, and how it is judged; how long it may take
    loops, crew          timing a statement; threads that stay
    judge, harness       ratios and verdicts; rounds in turns, medians
    peers, slots         what stands beside the heap: for a small block, for big buffers
    live_sets, exchange  many live blocks; threads that hand over all they make
    works                one question a module
    results              everything a run came to
    rows                 results in words, for the terminal and the page alike
    markdown, plot       the page; its figure

Every figure is a cost, so less is better. The collector stays on, as users have it.
"""
