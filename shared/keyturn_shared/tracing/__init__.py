"""Traces: spans of a change, from the call to every node. Only ``provider`` and ``export`` import
OpenTelemetry, and only a process with ``KEYTURN_TRACING`` imports those."""
