"""How the server is run on real machines: gunicorn, deployments, the lookout, backups."""
