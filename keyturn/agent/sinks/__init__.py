"""Deliver a client's secret to programs that cannot ask the agent."""
