"""The fleet protocol: what the relay, the nodes and the waiting callers say to each other through Redis.

Every step is one Lua script, so it happens whole or not at all. ``docs/protocol.md`` argues why together they
keep the promise; the simulation runs these very scripts.
"""
