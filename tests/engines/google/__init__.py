"""What we use of Google, over real HTTP: tokens, a spreadsheet's values and metadata, files."""

from engines.google.emulator import Emulator
from engines.google.faults import Call
from engines.google.grid import Formula, Spreadsheet, Tab

__all__ = ["Call", "Emulator", "Formula", "Spreadsheet", "Tab"]
