"""What the server tells about itself: figures, weather, logs."""
