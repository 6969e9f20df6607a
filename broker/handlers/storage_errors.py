"""How a failed disk is told to clients that do not know KAFKA_STORAGE_ERROR.

They would take it for an unknown error, which is final to them; NOT_LEADER_OR_FOLLOWER makes them look for another
leader and try again.  Source: KIP-112; versions of Produce and Fetch from which the code may come.
"""

from kproto.errors import ErrorCode

PRODUCE_SINCE, FETCH_SINCE = 4, 6


def code_told(code: ErrorCode, version: int, since: int) -> ErrorCode:
    """`since`: the version of the API that began to know the code."""
    if code is ErrorCode.KAFKA_STORAGE_ERROR and version < since:
        return ErrorCode.NOT_LEADER_OR_FOLLOWER
    return code
