"""Hosts of repositories: a folder for each, and the code that they share."""
