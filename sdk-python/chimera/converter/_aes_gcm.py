"""AesGcmCodec, the codec that C++ and Python share; users import it from chimera.contrib.encryption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from chimera import _api
from chimera.converter._codec import PayloadCodec

if TYPE_CHECKING:
    from chimera.api.common.v1 import Payload


class AesGcmCodec(PayloadCodec):
    """AES-256-GCM in the convention of the official samples, so that every SDK with the same keys reads it.

    On the wire: encoding `binary/encrypted`, metadata `encryption-key-id`, data = nonce (12 bytes), the encrypted
    payload, tag (16 bytes). Payloads that are not encrypted are read as they are. Immutable; any thread.
    """

    def __init__(self, key_id: str, keys: Mapping[str, bytes]) -> None:
        """Encrypts with key `key_id`, decrypts with the one that a payload names.

        Raises ValueError if `key_id` is not in `keys` or a key has not 32 bytes.
        """
        from chimera import _bridge

        self._native_codec = _bridge.Codec.aes_gcm(key_id, dict(keys))

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, encrypted."""
        return _read(self._native_codec.encode(_api.common.Payloads(payloads=payloads).SerializeToString()))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads in plain. Raises ValueError for a wrong key, RuntimeError for one that is not there."""
        if not any(payload.metadata.get("encoding") == b"binary/encrypted" for payload in payloads):
            return list(payloads)
        return _read(self._native_codec.decode(_api.common.Payloads(payloads=payloads).SerializeToString()))


def _read(payloads: bytes) -> list[Payload]:
    return list(_api.common.Payloads.FromString(payloads).payloads)
