"""The admin REST API. Handlers translate between HTTP and the operations, nothing more."""
