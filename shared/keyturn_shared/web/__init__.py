"""HTTP parts common to both services."""
