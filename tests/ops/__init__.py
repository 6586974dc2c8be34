"""Backup and restore: what is kept, what is refused, what an accident leaves."""
