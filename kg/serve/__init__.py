"""Serve a graph on a local port: a SPARQL endpoint, a query page, the explorer, and things.

:func:`kg.serve.running.serve` runs the server; :func:`kg.serve.app.application` is the ASGI
application, for those who bring a server of their own.
"""
