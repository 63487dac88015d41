"""Recovery time of a fleet after all of Redis was lost, with a million clients."""
