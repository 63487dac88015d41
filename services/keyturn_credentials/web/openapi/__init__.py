"""The admin API as an OpenAPI 3.1 document, generated for the served routes.

``python -m keyturn_credentials.web.openapi`` prints it. A test keeps ``docs/openapi.json`` equal to it.
"""
