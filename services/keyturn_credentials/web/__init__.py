"""The admin REST API. Handlers only translate between HTTP and the operations."""
