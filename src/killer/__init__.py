"""Killer: a server for Killer (Assassin) live party games."""

__version__ = "0.1.0"
