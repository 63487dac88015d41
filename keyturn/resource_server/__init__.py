"""The verifier as a library: tokens are checked inside a resource server, which is a member of the fleet."""
