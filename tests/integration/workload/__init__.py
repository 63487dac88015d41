"""Workload identity: clients whose assertions a trusted issuer signs."""
