"""Who follows a game live: the bell, and one feed for each game, shared by every open phone."""
