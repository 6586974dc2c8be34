"""A crowd of simulated phones that plays on a server over HTTP, and what it found."""
