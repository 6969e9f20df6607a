"""What OpenSSL says, as words for a log line."""

import ssl

NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "PACKET_LENGTH_TOO_LONG")
"""What OpenSSL says of bytes that are no TLS at all."""


def reason(error: ssl.SSLError) -> str:
    """What went wrong, seen from our end: `it` is the client."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLEOFError):
        return "it hung up amid the handshake"
    if error.reason in NOT_TLS:
        return f"it does not speak TLS ({error.reason})"
    if error.reason and "_ALERT_" in error.reason:
        return f"it refuses: {error.reason.partition('_ALERT_')[2].lower().replace('_', ' ')}"
    return (error.reason or str(error)).lower().replace("_", " ")
