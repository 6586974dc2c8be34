"""The store: SQL on both databases, and the laws when many processes write at once."""
