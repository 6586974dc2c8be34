"""The tests of the sheets' room have a Google of their own."""

from engines.google.fixtures import google

__all__ = ["google"]
