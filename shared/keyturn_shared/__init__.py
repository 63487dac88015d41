"""The contract between the services: events, projections, Redis layout, JOSE and fleet protocol."""
