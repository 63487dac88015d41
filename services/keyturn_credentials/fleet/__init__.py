"""What the credentials service tells callers about the fleet: waits for a change, and the nodes' view."""
