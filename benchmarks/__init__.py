"""Benchmarks of the served program, as whole processes on loopback."""
