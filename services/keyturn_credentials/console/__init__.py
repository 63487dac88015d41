"""The console: static pages, and the sessions of the people who use them."""
