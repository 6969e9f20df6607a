"""`barnabas bench`: starts brokers side by side, loads them in turn, and tells what each cost and who met its goals.

`tools/commands/bench.py` calls `runner.py`, which knows the sections; each measures into `results.py` and knows of no
other. Nothing here runs inside a broker, but for `bare_loop.py`, which is one.
"""
