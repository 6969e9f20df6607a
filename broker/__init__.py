"""Everything of the broker that touches the world.

The rooms in the order in which a request meets them:

    server/               listeners and connections; the read buffers that they borrow
    requests/             router, context, rights: what every request passes
    handlers/             table.py and one file per API
    partitions/           partition, manager, validation
    coordinator_runtime/  runs the coordinator machines over their internal topics
    cluster/              image of the metadata, controller, placement, topics, znodes
    storage/              logs: contract, memory, segment files
    registry/             contract; embedded, ZooKeeper
    transport/            contract; sockets, memory, peers

Beside them: config/ (one line per option), clock.py, purgatory.py, testing/. Only `broker.py` knows every room.
"""
