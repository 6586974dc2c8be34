"""Sign-in links by mail and on cards."""
