"""What the server tells about itself: metrics, logs, and the weather that they make."""
