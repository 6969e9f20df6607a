"""Every option that Kafka ever published, one line each, in groups that meet in `BrokerSettings`."""
