"""What is asked over HTTP: health and control, on a small responder.

    responder.py   HTTP/1.1 on a transport stream; one page for each method and path
    pages.py       which pages there are
    health.py      /healthz, /readyz
    metrics_page.py  /metrics: what the rooms count, group_metrics.py: what groups do; exposition.py is the text format
    control.py     /control/…: what a test bench asks of its broker

Called by `broker.py`, which makes the pages and runs the responder where `barnabas.http.listener` says. Pages look at
rooms or ask the broker what any client may ask; nothing here decides anything, or is needed to serve a Kafka client.
"""
