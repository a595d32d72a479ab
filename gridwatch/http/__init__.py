"""What every small web server of gridwatch shares, and how to ask one.

queries.py     what a request asks for: HTML or JSON, and its parameters, checked
reply.py       what a page gives back: data with its template, another server's answer, or a problem
responses.py   replies and problems as aiohttp responses, with the security headers
rendering.py   Jinja2 with escaping on; templates/: the base of every page, problems, health
formats.py     instants, durations and numbers as a person reads them
assets.py      static/: the style sheet, the script that keeps a page current, the icon
client.py      asks a service's pages, as a script or another service does
"""
