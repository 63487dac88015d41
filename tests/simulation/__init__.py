"""The fleet protocol under one seed: the real scripts, relay, nodes and waits, in a world whose clocks,
scheduler, network, Redis and database are simulated. ``docs/protocol.md`` says what that shows."""
