"""The site and the API: everything that speaks HTTP."""
