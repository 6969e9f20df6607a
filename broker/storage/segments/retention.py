"""Which segments have to go: by age, by size, by log start; never above the high watermark.

As Kafka: the newest segment may go too once all of its records are too old, and an empty one follows it. A log whose
policy is only `compact` keeps everything from its start on.  Source: UnifiedLog.deleteOldSegments.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from broker.storage.segments import cutting
from broker.storage.segments.contents import IndexDamaged
from broker.storage.segments.segment import Segment

if TYPE_CHECKING:
    from broker.storage.segments.log import SegmentLog


async def tidy(log: "SegmentLog", now_ms: int) -> None:
    """Drop what is over the limits, one segment between two chances for others.  Raises: StorageFailed."""
    log.check()
    settings = log.settings
    if "delete" in settings.cleanup_policy:
        if settings.retention_ms >= 0:
            await _drop_while(log, now_ms, lambda oldest: now_ms - _newest_ms(log, oldest) > settings.retention_ms)
        if settings.retention_bytes >= 0:
            await _drop_while(log, now_ms, lambda oldest: log.size_bytes - oldest.size >= settings.retention_bytes)
    await _drop_while(
        log, now_ms, lambda oldest: oldest is not log.segments[-1] and oldest.next_offset <= log.start_offset
    )


async def _drop_while(log: "SegmentLog", now_ms: int, is_over: Callable[[Segment], bool]) -> None:
    while log.segments:
        oldest = log.segments[0]
        if oldest is log.segments[-1] and not oldest.size:
            return
        if oldest.next_offset > log.high_watermark:
            return
        try:
            if not is_over(oldest):
                return
        except IndexDamaged as damage:
            await log.reader.rebuild(damage.contents)
            continue
        except OSError as error:
            raise log.failed(error) from error
        cutting.drop_oldest(log, now_ms)
        await trio.lowlevel.checkpoint()


def _newest_ms(log: "SegmentLog", segment: Segment) -> int:
    """Of its records; of its file if they have no timestamps.  Raises: OSError, IndexDamaged."""
    newest_ms, _ = segment.newest()
    return newest_ms if newest_ms >= 0 else log.disk.modified_ms(segment.path)
