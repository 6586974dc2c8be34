"""Who follows a game live: one feed for each game, shared by every open phone."""
