"""The console: static pages, and its users' sessions."""
