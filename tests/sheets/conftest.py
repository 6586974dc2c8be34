"""The tests of the sheets' room have a Google of their own."""

from engines.google.fixtures import google
from kept_sheet import keep

__all__ = ["google", "keep"]
