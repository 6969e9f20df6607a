"""InitProducerId, key 22: an id for an idempotent producer.  Versions 0 to 6, of which 6 is not listed.

1 throttled clients wait · 2 flexible · 3 id and epoch of a producer that goes on (KIP-360) · 4 PRODUCER_FENCED may
come · 5 TRANSACTION_ABORTABLE may come · 6 two-phase commit (KIP-939). Transactional ids are refused: there are no
transactions yet.
"""

import logging

from broker.cluster.authorizer import Operation, Resource
from broker.cluster.producer_ids import BLOCK, TAKING_MS
from broker.requests.context import Context
from kproto.errors import ApiError, ErrorCode
from kproto.messages.init_producer_id import InitProducerIdRequest, InitProducerIdResponse

log = logging.getLogger("barnabas.requests")

UNSET = -1


async def init_producer_id(request: InitProducerIdRequest, ctx: Context) -> InitProducerIdResponse:
    """A fresh id, always at epoch 0: without transactions there is nothing to go on with."""
    if (request.producer_id == UNSET) != (request.producer_epoch == UNSET):
        raise ApiError(ErrorCode.INVALID_REQUEST)
    if request.transactional_id is not None:
        raise refusal(request, ctx)
    must_write(ctx)
    while (producer_id := ctx.rooms.producer_ids.next()) is None:
        job = ctx.rooms.producer_ids.refill()
        await ctx.pause(job.waiter(), TAKING_MS)
        job.row(BLOCK)
    return InitProducerIdResponse(producer_id=producer_id, producer_epoch=0)


def must_write(ctx: Context) -> None:
    """Who may write to some topic may do it without repeats (KIP-679).

    Raises: ApiError: CLUSTER_AUTHORIZATION_FAILED.
    """
    if not any(ctx.allowed(Operation.WRITE, Resource.topic(name)) for name in ctx.rooms.image.topics):
        ctx.may(Operation.IDEMPOTENT_WRITE, Resource.cluster())


def refusal(request: InitProducerIdRequest, ctx: Context) -> ApiError:
    """What Kafka says to a wrong request, and INVALID_REQUEST to a right one."""
    if request.transactional_id == "":
        return ApiError(ErrorCode.INVALID_REQUEST)
    if not 0 < request.transaction_timeout_ms <= ctx.rooms.settings.transaction_max_timeout_ms:
        return ApiError(ErrorCode.INVALID_TRANSACTION_TIMEOUT)
    log.warning(
        "Client %r asks for the transactional id %r: transactions are not served yet, the request is refused",
        ctx.client_id[:100],
        (request.transactional_id or "")[:100],
    )
    return ApiError(ErrorCode.INVALID_REQUEST)


def refused(request: InitProducerIdRequest, error: ApiError) -> InitProducerIdResponse:
    return InitProducerIdResponse(error_code=error.code, producer_id=UNSET, producer_epoch=UNSET)
