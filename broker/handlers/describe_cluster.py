"""DescribeCluster, key 60: brokers, controller, cluster id.  Versions 0 to 2.

1 asks for an endpoint type (KIP-919): brokers tell of brokers only · 2 fenced brokers (KIP-1073): we have none, one
that is not alive is gone.
"""

from broker.cluster.authorizer import Operation, Resource
from broker.handlers.brokers import NOT_ASKED, operations, reachable, until_told
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.describe_cluster import DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse

BROKERS = 1
TYPES = {1: "BROKER", 2: "CONTROLLER"}


async def describe_cluster(request: DescribeClusterRequest, ctx: Context) -> DescribeClusterResponse:
    if request.endpoint_type != BROKERS:
        wanted = TYPES.get(request.endpoint_type, "UNKNOWN")
        raise ApiError(
            ErrorCode.MISMATCHED_ENDPOINT_TYPE,
            f"The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type {wanted}",
        )
    await until_told(ctx)
    image = ctx.rooms.image
    return DescribeClusterResponse(
        cluster_id=image.cluster_id,
        controller_id=image.controller_id,
        brokers=[
            DescribeClusterBroker(broker_id=id, host=at.host, port=at.port, rack=image.brokers[id].rack)
            for id, at in reachable(ctx).items()
        ],
        cluster_authorized_operations=rights(request, ctx),
    )


def rights(request: DescribeClusterRequest, ctx: Context) -> int:
    if not request.include_cluster_authorized_operations:
        return NOT_ASKED
    cluster = Resource.cluster()
    return operations(ctx, cluster) if ctx.allowed(Operation.DESCRIBE, cluster) else 0


def refused(request: DescribeClusterRequest, error: ApiError) -> DescribeClusterResponse:
    return DescribeClusterResponse(error_code=error.code, error_message=error.message)
