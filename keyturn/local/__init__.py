"""The files, ports and settings of a local stack on this machine, for every command that finds or uses it."""
