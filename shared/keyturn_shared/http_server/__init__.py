"""HTTP/1.1 for a server's connections: framing, and limits in size, time and number. See README.md."""
