"""repoledger keeps a SQL database of your GitHub repositories."""

__version__ = "0.1.0"
