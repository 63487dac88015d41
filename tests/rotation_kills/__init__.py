"""Rotations by policy while every kind of process is killed at random times."""
