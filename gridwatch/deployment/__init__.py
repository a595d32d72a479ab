"""gridwatch's services as child processes: for the demo, chaos, tests and benchmarks.

kinds.py        every kind of service: its name, the setting of its port, its command
environment.py  settings as environment variables: a command line would show passwords
process.py      a command as a child process: started, stopped, killed, frozen, waited for, its log
service.py      a child process that is one of gridwatch's services: its port, readiness, pages
site.py         the services of one deployment: settings and a folder in common, ended together
topics.py       a deployment's topics, made anew; databases.py: a database of its own
catching_up.py  when worker and sink have processed and stored what was sent
polling.py      waiting for a condition, or until something that makes progress is complete
signals.py      what ends a command from outside, and when it may
"""
