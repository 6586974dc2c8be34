"""All SQL: the log, the rows that it changes, and what people keep apart from it."""
