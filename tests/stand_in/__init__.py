"""The stand-in GitHub that users and Apps can sign in to."""

from tests.stand_in.stand_in import StandIn

__all__ = ["StandIn"]
