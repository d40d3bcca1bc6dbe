"""What subscribers are told: features, stats and changed parameters, one value a message."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from livevis.core.features import FEATURES
from livevis.core.params import Registry
from livevis.core.types import AudioFeatures
from livevis.surfaces.addresses import FEATURE_ADDRESSES, ROOT, stat_address
from livevis.surfaces.packets import encode, float_bytes, float_prefix
from livevis.surfaces.subscribers import Subscriber
from livevis.surfaces.udp import Address

Snapshot = dict[str, bytes]
"""Output address -> the datagram that says its present value."""


def source_name(client: Address) -> str:
    """Return the name under which the registry notes who changed a parameter."""
    return f"osc:{client[0]}:{client[1]}"


class Outputs:
    """Encodes outputs; the bytes before each number are made once."""

    def __init__(self) -> None:
        self._features = [(FEATURE_ADDRESSES[row.name], float_prefix(FEATURE_ADDRESSES[row.name])) for row in FEATURES]
        self._stats: dict[str, tuple[str, bytes]] = {}

    def snapshot(self, features: AudioFeatures, stats: Mapping[str, float]) -> Snapshot:
        """Encode every finite feature and stat, each as one float."""
        numbers = features.values.astype(">f4").tobytes()
        found: Snapshot = {}
        for at, (address, prefix) in enumerate(self._features):
            if math.isfinite(features.values[at]):
                found[address] = prefix + numbers[4 * at : 4 * at + 4]
        for name, value in stats.items():
            if math.isfinite(value):
                address, prefix = self._stat(name)
                found[address] = prefix + float_bytes(float(value))
        return found

    def _stat(self, name: str) -> tuple[str, bytes]:
        if name not in self._stats:
            self._stats[name] = (stat_address(name), float_prefix(stat_address(name)))
        return self._stats[name]


def news(subscriber: Subscriber, snapshot: Snapshot, registry: Registry) -> Iterator[bytes]:
    """Yield what this subscriber does not know yet, and note that it now does; no echo of its own changes."""
    yield from _changed_parameters(subscriber, registry)
    for address, datagram in snapshot.items():
        if subscriber.sent.get(address) != datagram:
            subscriber.sent[address] = datagram
            yield datagram


def _changed_parameters(subscriber: Subscriber, registry: Registry) -> Iterator[bytes]:
    since, version = subscriber.version, registry.base().version
    if version == since:
        return
    subscriber.version = version  # read first: what changes meanwhile is told twice rather than never
    own = (source_name(subscriber.source), source_name(subscriber.reply))
    for id, value in registry.changed_since(since).items():
        if registry.source_of(id) not in own:
            yield encode(ROOT + id, value)
