"""One file per API, named as Kafka names it; `table.py` is the list of what is served.

The router calls in, with the request decoded and a context. A handler speaks the language of its API and owns its error
codes; it never touches a socket or a file, and it waits only through its context.
"""
