"""The rules of the house: what the source, the sentences and the papers look like."""
