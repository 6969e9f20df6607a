"""How a process ended, in words."""

import signal


def how_it_ended(code: int) -> str:
    """Of a return code as `subprocess` has it: below 0 it was a signal."""
    if code >= 0:
        return f"with code {code}"
    try:
        return f"by {signal.Signals(-code).name}"
    except ValueError:
        return f"by signal {-code}"
