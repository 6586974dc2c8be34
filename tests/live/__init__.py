"""Who follows a game live: feeds, frames, streams and the bell."""
