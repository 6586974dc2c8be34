"""How the server is run: gunicorn's configuration."""
