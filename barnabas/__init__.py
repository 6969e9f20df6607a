"""Barnabas, a Kafka broker you can `pip install`.

This package is the door: the command, and what users may import. The rest of the program lies in `app/` beside it
(in a checkout: beside this directory), off everybody's path but the command's own, since users have a `broker` and
`tools` of their own.
"""

__version__ = "0.1.0"
