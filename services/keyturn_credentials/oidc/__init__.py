"""Persons' sign-in with OpenID Connect: the identity provider, its tokens, and roles by groups."""
