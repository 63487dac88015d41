"""How long a fleet takes to be whole again after all of Redis was lost, with a million clients."""
