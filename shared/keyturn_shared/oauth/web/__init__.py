"""The endpoints: from a request to its reply, independent of the server."""
