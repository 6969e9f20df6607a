"""Pure decisions about groups and transactions: events in, effects out.

Never awaits, reads a clock or rolls dice (time and fresh ids come with the event); imports kproto only.
`broker.coordinator_runtime` runs these machines over their internal topics.
"""
