"""What an operator reads when something outside the program is wrong."""


class OperatorError(Exception):
    """A mistake the operator can put right: a bad value, a locked directory, a port in use.

    The command prints the three parts on stderr and ends with exit code 1, without a traceback.

    Args:
        what: what went wrong, one sentence, with the name or path it concerns.
        why: the cause as far as we know it.
        do_this: the next step for the operator.
    """

    def __init__(self, what: str, why: str, do_this: str) -> None:
        super().__init__(what, why, do_this)
        self.what = what
        self.why = why
        self.do_this = do_this

    def __str__(self) -> str:
        return "\n".join(part for part in (self.what, self.why, self.do_this) if part)
