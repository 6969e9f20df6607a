"""Settings that are asked anew each time: background tasks outlive the values that they began with."""

from broker.config.settings import BrokerSettings


class LiveSettings(BrokerSettings):
    """What holds for this broker now: at first what it was started with, then what `become` said last."""

    def __init__(self, settings: BrokerSettings) -> None:
        self.become(settings)

    def become(self, settings: BrokerSettings) -> None:
        """Other values hold from now on; who has kept one asks again."""
        self.__dict__.clear()
        self.__dict__.update(settings.__dict__)
