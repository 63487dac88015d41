"""Load of hours on the processes of compose.yaml, and what grows meanwhile."""
