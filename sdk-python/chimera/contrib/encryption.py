"""Encryption of all payloads, or of single members of them, by codecs that C++ and Python share.

    codec = AesGcmCodec("2026-01", {"2026-01": key, "2025-07": old_key})
    client = await Client.connect(address, data_converter=replace(DataConverter.default, payload_codec=codec))

    codec = RedactionCodec(["iban", "customer.address"], "2026-01", {"2026-01": key})

A worker of such a client hands the codec on to its native libraries. A C++ client takes the same keys with
`chimera::aes_gcm_codec` and `chimera::redaction_codec`.
"""

from chimera.converter._native_codec import AesGcmCodec, RedactionCodec

__all__ = ["AesGcmCodec", "RedactionCodec"]
