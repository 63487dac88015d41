"""The agent's sinks over real HTTP, with receivers that accept nothing but their own contract."""
