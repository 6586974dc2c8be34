"""Sign-in links on their way to the players: by mail, or on cards to cut out."""
