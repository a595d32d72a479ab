"""Shared by every small web server of gridwatch, and a client to request their pages.

queries.py     parses a request: HTML or JSON, and its parameters
reply.py       what a handler returns: data with its template, a forwarded response, or a problem
responses.py   replies and problems as aiohttp responses, with the security headers
rendering.py   Jinja2 with escaping on; templates/: the base of every page, problems, health
formats.py     instants, durations and numbers as a person reads them
assets.py      static/: the style sheet, the script that keeps a page current, the icon
client.py      requests a service's pages
serving.py     runs an ASGI server until a signal
"""
