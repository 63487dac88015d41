"""keyturn: confidential client credentials for fleets of verifiers."""

__version__ = "0.1.0"
