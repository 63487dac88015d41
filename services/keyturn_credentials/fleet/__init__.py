"""The fleet as callers of the credentials service see it: waits for a change, and the view of the nodes."""
