"""Clients' key sets: fetched from JWKS URLs once for the whole fleet, polled while in use, looked up by kid.

``lookup.KeySetLookup`` is what the verifier asks. ``poller.KeySetPoller`` fetches what is due, on every node
or in processes of its own. ``policy.KeySetPolicy`` explains the bounds.
"""
