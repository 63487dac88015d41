"""A prober: shows from outside that no node accepts what a confirmed call has ended."""
