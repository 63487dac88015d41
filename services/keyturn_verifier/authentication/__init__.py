"""How a client proves who it is: from what a request presents to a ``VerifiedClient``, or a refusal."""
