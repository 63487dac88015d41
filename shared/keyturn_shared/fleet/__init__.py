"""The fleet protocol: communication of the relay, the nodes and waiting calls through Redis.

Every step is one atomic Lua script. ``docs/protocol.md`` argues why together they keep the guarantee; the
simulation runs these very scripts.
"""
