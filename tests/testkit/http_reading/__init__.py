"""Servers' reading of HTTP: octet streams, an echo behind each server, and the results."""
