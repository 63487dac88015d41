"""A node's replica: it follows the events, caches states, and answers only while it holds a lease."""
