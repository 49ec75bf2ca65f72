"""Encryption of all payloads, by a codec that C++ and Python share.

    codec = AesGcmCodec("2026-01", {"2026-01": key, "2025-07": old_key})
    client = await Client.connect(address, data_converter=replace(DataConverter.default, payload_codec=codec))

A worker of such a client hands the codec on to its native libraries. A C++ client takes the same keys with
`chimera::aes_gcm_codec`.
"""

from chimera.converter._aes_gcm import AesGcmCodec

__all__ = ["AesGcmCodec"]
