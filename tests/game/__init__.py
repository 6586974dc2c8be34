"""Tests of the game room: rules, undo, ring, standings, audience."""
