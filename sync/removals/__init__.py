"""Removals: finds repositories missing from a listing, asks GitHub about each, and judges.

In the order of a run: `missing` finds them, and `judge` may withhold all removals; `probe` asks for
each by id, and `judge` says what its answer means; `decide` goes through the verdicts in batches;
`departure` plans what an account loses, and `apply` has it written and logged (`removal_log`).
"""
