"""Killer: a server for Killer (Assassin) live party games."""
