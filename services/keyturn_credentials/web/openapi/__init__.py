"""The admin API as an OpenAPI 3.1 document, made for the routes that are served.

``python -m keyturn_credentials.web.openapi`` prints it; ``docs/openapi.json`` is that, and a test holds it
to it.
"""
