"""Evaluations of what verifiers would decide now, without any effect."""
