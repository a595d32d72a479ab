"""gridwatch's services as child processes: for the demo, chaos, tests and benchmarks.

kinds.py        every kind of service: its name, the setting of its port, its command
environment.py  settings as environment variables: a command line would show passwords
process.py      a command as a child process: start, stop, kill, freeze, wait, log
service.py      a child process that is one of gridwatch's services: its port, readiness, pages
site.py         the services of one deployment: settings and a folder in common, ended together
topics.py       a deployment's topics, recreated; databases.py: a database of its own
catching_up.py  waiting until worker and sink have caught up
polling.py      waiting for a condition, or for the end of something that makes progress
signals.py      signals that end a command: handled, deferred, ignored
"""
