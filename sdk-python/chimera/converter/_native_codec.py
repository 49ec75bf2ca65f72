"""The codecs that C++ and Python share; users import them from chimera.contrib.encryption."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from chimera import _api
from chimera.converter._codec import PayloadCodec

if TYPE_CHECKING:
    from chimera import _bridge
    from chimera.api.common.v1 import Payload


class _NativeCodec(PayloadCodec):
    """A codec of the core."""

    _native_codec: _bridge.Codec

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads, encrypted."""
        return _read(self._native_codec.encode(_api.common.Payloads(payloads=payloads).SerializeToString()))

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """The payloads in plain. Raises ValueError for a wrong key, RuntimeError for one that is not there."""
        if not any(self._is_ours(payload) for payload in payloads):
            return list(payloads)
        return _read(self._native_codec.decode(_api.common.Payloads(payloads=payloads).SerializeToString()))

    def _is_ours(self, payload: Payload) -> bool:
        raise NotImplementedError


class AesGcmCodec(_NativeCodec):
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

    def _is_ours(self, payload: Payload) -> bool:
        return payload.metadata.get("encoding") == b"binary/encrypted"


class RedactionCodec(_NativeCodec):
    """Hides marked members of JSON values: in the server, the Web UI and the CLI the others stay readable.

    A hidden member is a text `hidden:KEY_ID:...`, encrypted by AES-256-GCM. Without its key it stays hidden. Payloads
    that are no JSON are left alone. C++ reads and writes the same with `chimera::redaction_codec`. Immutable; any
    thread.
    """

    def __init__(self, fields: Iterable[str] = (), key_id: str = "", keys: Mapping[str, bytes] = {}) -> None:
        """Each field is the name of a member, at any depth (`iban`), or its way from the outermost value, with `*` for
        any member or element (`customer.address`, `items.*.note`). Hides with key `key_id`; without keys it only reads.

        Raises ValueError if a field is malformed, `key_id` is not in `keys` or a key has not 32 bytes.
        """
        from chimera import _bridge

        self._native_codec = _bridge.Codec.redaction(list(fields), key_id, dict(keys))

    def _is_ours(self, payload: Payload) -> bool:
        return "hidden-members" in payload.metadata


def _read(payloads: bytes) -> list[Payload]:
    return list(_api.common.Payloads.FromString(payloads).payloads)
