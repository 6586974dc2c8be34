"""The site as people see it: real phones and laptops in Chromium, on a real server."""
