"""The tests of the sheets' room have a Google of their own, and sheets at it."""

from google_desk import desk, slept
from kept_sheet import keep

from engines.google.fixtures import google

__all__ = ["desk", "google", "keep", "slept"]
