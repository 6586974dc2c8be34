"""Tests of the whole server: real processes, real sockets, real phones, nothing faked."""
