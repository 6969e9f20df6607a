"""Numbers that option lines share."""

INT_MAX = 2**31 - 1
LONG_MAX = 2**63 - 1
DOUBLE_MAX = 1.7976931348623157e308
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
