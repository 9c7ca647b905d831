"""The names of `sync/` that tests use, a module for each of its folders.

Where code moves, these modules change, and no test.
"""
