"""Foundations for every floor: errors, times, secrets, logging."""
