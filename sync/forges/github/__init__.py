"""GitHub on top of the generic REST client."""
