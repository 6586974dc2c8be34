"""Rosters and spreadsheets: reading the players from a sheet, writing the game back into it."""
