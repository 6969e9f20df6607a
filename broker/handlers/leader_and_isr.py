"""LeaderAndIsr, key 4: the controller says which partitions this broker leads or follows.  Versions 0 to 7.

1 new partitions · 2 grouped by topic, broker epoch · 3 replicas that come and go · 4 flexible · 5 topic ids, type ·
6 recovery state · 7 KRaft controllers. Only a controller may ask; a client that does is hung up on.
"""

from broker.requests.context import Context
from kproto.errors import ApiError
from kproto.messages.leader_and_isr import LeaderAndIsrRequest, LeaderAndIsrResponse, LeaderAndIsrTopicState


async def leader_and_isr(request: LeaderAndIsrRequest, ctx: Context) -> LeaderAndIsrResponse:
    """Options of topics are read before their logs are opened."""
    ctx.rooms.image.admit(request.controller_epoch, request.broker_epoch)
    group_by_topic(request)
    await ctx.rooms.configs.know((topic.topic_name, topic.topic_id) for topic in request.topic_states)
    return ctx.rooms.partitions.become(request)


def group_by_topic(request: LeaderAndIsrRequest) -> None:
    """Versions 0 and 1 name the topic in each row."""
    groups = {topic.topic_name: topic for topic in request.topic_states}
    for row in request.ungrouped_partition_states:
        if row.topic_name not in groups:
            groups[row.topic_name] = LeaderAndIsrTopicState(topic_name=row.topic_name)
        groups[row.topic_name].partition_states.append(row)
    request.topic_states, request.ungrouped_partition_states = list(groups.values()), []


def refused(request: LeaderAndIsrRequest, error: ApiError) -> LeaderAndIsrResponse:
    return LeaderAndIsrResponse(error_code=error.code)
