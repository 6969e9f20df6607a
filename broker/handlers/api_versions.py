"""ApiVersions, key 18: what this listener serves.  Versions 0 to 5.

1 throttle time · 3 the client's software, features · 4 features whose lowest level is 0 · 5 the cluster and node that
the client believes to speak to (KIP-1242). The answer's header never has tags, and an unknown version is answered in
version 0 with the range of this API alone (KIP-511). No features yet: the epoch of the finalized ones is -1.
"""

import re

from broker.handlers.table import Row
from broker.requests.context import Context
from kproto.api_keys import ApiKey
from kproto.errors import ApiError, ErrorCode
from kproto.messages.api_versions import ApiVersion, ApiVersionsRequest, ApiVersionsResponse

SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")
"""Source: ApiVersionsRequest.java of Kafka, KIP-511."""


async def api_versions(request: ApiVersionsRequest, ctx: Context) -> ApiVersionsResponse:
    if ctx.version >= 3:
        note_software(request, ctx)
    if ctx.version >= 5:
        refuse_misrouted(request, ctx)
    return ApiVersionsResponse(api_keys=[listed(row) for row in sorted(ctx.served.values(), key=lambda row: row.key)])


def refused(request: ApiVersionsRequest, error: ApiError) -> ApiVersionsResponse:
    return ApiVersionsResponse(error_code=error.code)


def unknown_version(row: Row) -> ApiVersionsResponse:
    """To be encoded in version 0."""
    return ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=[listed(row)])


def listed(row: Row) -> ApiVersion:
    lowest, highest = row.versions
    return ApiVersion(api_key=ApiKey(row.key), min_version=lowest, max_version=highest)


def note_software(request: ApiVersionsRequest, ctx: Context) -> None:
    """Raises: ApiError: INVALID_REQUEST: a name or version that no software has."""
    for name in (request.client_software_name, request.client_software_version):
        if not SOFTWARE.fullmatch(name):
            raise ApiError(ErrorCode.INVALID_REQUEST, "illegal software name or version")
    ctx.connection.software_name = request.client_software_name
    ctx.connection.software_version = request.client_software_version


def refuse_misrouted(request: ApiVersionsRequest, ctx: Context) -> None:
    """Raises: ApiError: REBOOTSTRAP_REQUIRED: the client means another cluster, or another broker of this one."""
    other_cluster = request.cluster_id is not None and request.cluster_id != ctx.rooms.image.cluster_id
    other_node = request.node_id >= 0 and request.node_id != ctx.rooms.broker_id
    if other_cluster or other_node:
        raise ApiError(ErrorCode.REBOOTSTRAP_REQUIRED)
