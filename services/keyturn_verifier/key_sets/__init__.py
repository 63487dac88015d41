"""Clients' key sets: fetched from JWKS URLs once for the whole fleet, polled while in use, looked up by kid.

The verifier asks ``lookup.KeySetLookup``. ``poller.KeySetPoller`` fetches what is due, on every node or in
separate processes. ``policy.KeySetPolicy`` explains the limits.
"""
