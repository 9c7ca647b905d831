"""What the program costs, beside the limit and beside what else there is; see docs/performance.md.

`make bench` measures, and writes that page and its charts. Everything happens on this machine.
"""
