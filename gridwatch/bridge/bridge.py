"""The bridge: messages in, rows of Kafka out, acknowledgements back.

    session ──► translator ──► appender ──► Kafka
       ▲                           │
       └── acknowledged, in order ─┘   once every row of a message is

Messages are acknowledged in the order in which they came (MQTT 5, section 4.6): one whose rows are there
waits for those before it. While Kafka is away none is, so the broker sends no more than RECEIVE_MAXIMUM and
keeps the rest. Messages of QoS 0 have no ack: beyond a limit of bytes they are dropped, and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from gridwatch.bridge.session import Delivery, Session
from gridwatch.bridge.translation import Translator
from gridwatch.kafka.appending import Ack, RecordAppender

#: Beyond so many bytes that wait for Kafka, messages without acknowledgement are dropped.
MOST_PENDING_BYTES: Final = 64 * 1024 * 1024


class _Pending:
    """A message and the acks that its rows wait for."""

    __slots__ = ("acks", "delivery")

    def __init__(self, delivery: Delivery, acks: list[Ack]) -> None:
        self.delivery = delivery
        self.acks = acks


class Bridge:
    """Moves messages; `session` is set before the first one comes."""

    def __init__(self, translator: Translator, appender: RecordAppender) -> None:
        self.translator = translator
        self.appender = appender
        self._pending: deque[_Pending] = deque()
        self._awaited: set[Ack] = set()
        self.session: Session | None = None
        #: Called when rows cannot be written, whatever one waits for: their message stays unacknowledged.
        self.fail: Callable[[BaseException], None] = lambda error: None
        #: Messages of QoS 0 that came while too many waited.
        self.dropped = 0

    @property
    def unacknowledged(self) -> int:
        """Messages whose acknowledgement waits for Kafka."""
        return len(self._pending)

    def receive(self, delivery: Delivery) -> None:
        """Take a message."""
        message = delivery.message
        if not message.qos and self.appender.pending_bytes > MOST_PENDING_BYTES:
            self.dropped += 1
            return
        append = self.appender.append
        acks = [
            append(topic, partition, [(key, value)])
            for topic, partition, key, value in self.translator.translate(message)
        ]
        if message.qos:
            self._pending.append(_Pending(delivery, acks))
            for ack in acks:
                if ack not in self._awaited:
                    self._awaited.add(ack)
                    ack.add_done_callback(self._acknowledged)
            if not acks:
                self._advance()

    def _acknowledged(self, ack: Ack) -> None:
        self._awaited.discard(ack)
        if not ack.cancelled() and (error := ack.exception()) is not None:
            self.fail(error)
        self._advance()

    def _advance(self) -> None:
        """Acknowledge the first messages whose rows are all there."""
        pending = self._pending
        while pending and all(map(_is_there, pending[0].acks)):
            one = pending.popleft()
            if self.session is not None:
                self.session.acknowledge(one.delivery)


def _is_there(ack: Ack) -> bool:
    """Whether Kafka has the rows."""
    return ack.done() and not ack.cancelled() and ack.exception() is None
