"""What this broker knows of the cluster, and how the cluster is changed.

What lives here: the image of the metadata (changed by UpdateMetadata alone), the controller (a pure machine) and the
task that runs it, placement of replicas, the topic commands, overrides of configs, producer ids, rights, znodes.
Who calls it: handlers and the coordinators' runtime read the image and hand in commands; `broker.py` composes it.
What it never does: open a log or a socket, or change the image by any other way than the controller's requests.
"""
