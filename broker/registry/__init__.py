"""The registry: the small tree of nodes that a cluster's brokers share, with ZooKeeper's data model.

`contract.py` says what is promised; `embedded.py` keeps it for the brokers of one process (a tree in memory, rows in
SQLite), `zookeeper.py` through kazoo. `broker.py` makes one of them and hands it to the cluster, which alone calls it.
It never knows what the nodes mean: their texts are in `broker.cluster.znodes`.
"""
