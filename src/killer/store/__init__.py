"""All SQL: the log, the rows that it changes, and what is kept apart from it; and all of Redis."""
