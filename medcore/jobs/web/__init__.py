"""The web server's process: how it starts, and the guard in front of every request."""
