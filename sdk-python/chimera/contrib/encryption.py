"""Encryption of all payloads, by a codec that C++ and Python share.

    codec = AesGcmCodec("2026-01", {"2026-01": key, "2025-07": old_key})
    client = await Client.connect(address, data_converter=replace(DataConverter.default, payload_codec=codec))

A worker of such a client hands the codec on to its native libraries. A C++ client takes the same keys with
`chimera::aes_gcm_codec`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chimera import converter
from chimera.api.common.v1 import Payload, Payloads


class AesGcmCodec(converter.PayloadCodec):
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
        return _read(self._native_codec.encode(Payloads(payloads=payloads).SerializeToString()))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads in plain. Raises ValueError for a wrong key, RuntimeError for one that is not there."""
        if not any(payload.metadata.get("encoding") == b"binary/encrypted" for payload in payloads):
            return list(payloads)
        return _read(self._native_codec.decode(Payloads(payloads=payloads).SerializeToString()))


def _read(payloads: bytes) -> list[Payload]:
    return list(Payloads.FromString(payloads).payloads)
