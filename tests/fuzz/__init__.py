"""Anything that callers may send, against a real process of the credentials service. ``make fuzz``."""
