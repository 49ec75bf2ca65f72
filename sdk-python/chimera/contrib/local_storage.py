"""External storage in a folder, which C++ and Python share.

    storage = ExternalStorage([LocalStorageDriver("/srv/payloads")])
    client = await Client.connect(address, data_converter=replace(DataConverter.default, external_storage=storage))

A C++ client takes the same folder with `chimera::local_storage`. There is one file for each different payload, by its
SHA-256; the driver deletes none.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import pathlib
import tempfile
from collections.abc import Sequence

from chimera import _api
from chimera.api.common.v1 import Payload
from chimera.converter import StorageDriver, StorageDriverClaim, StorageDriverRetrieveContext, StorageDriverStoreContext

__all__ = ["LocalStorageDriver"]


class LocalStorageDriver(StorageDriver):
    """Keeps payloads in a folder, which is made if it is not there."""

    def __init__(self, folder: str | os.PathLike[str], name: str = "local") -> None:
        """`name`: in references; must not change while payloads are kept."""
        if not name:
            raise ValueError("The driver's name must not be empty")
        self._folder = pathlib.Path(folder).absolute()
        self._name = name
        (self._folder / "sha256").mkdir(parents=True, exist_ok=True)

    def name(self) -> str:
        """Its name in references."""
        return self._name

    def type(self) -> str:
        """The kind of driver."""
        return "local"

    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        """Writes what is not there yet."""
        return [await asyncio.to_thread(self._store, payload) for payload in payloads]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        """Reads and checks."""
        return [await asyncio.to_thread(self._retrieve, claim) for claim in claims]

    def _store(self, payload: Payload) -> StorageDriverClaim:
        data = payload.SerializeToString(deterministic=True)
        digest = hashlib.sha256(data).hexdigest()
        path = pathlib.PurePosixPath("sha256", digest[:2], digest)
        file = self._folder / path
        if not file.exists() or file.stat().st_size != len(data):  # Of another size: damaged since.
            file.parent.mkdir(exist_ok=True)
            _write(file, data)
        claim = {"hash_algorithm": "sha256", "hash_value": digest, "path": str(path)}
        return StorageDriverClaim(claim)

    def _retrieve(self, claim: StorageDriverClaim) -> Payload:
        fields = claim.claim_data
        path = pathlib.PurePosixPath(fields["path"])
        if path.is_absolute() or not path.parts or ".." in path.parts:
            raise ValueError(f"The claim's path '{path}' is not one inside the folder")
        if fields["hash_algorithm"] != "sha256":
            raise ValueError(f"The claim's hash is of the unknown algorithm '{fields['hash_algorithm']}'")
        file = self._folder / path
        data = file.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        if digest != fields["hash_value"]:
            raise ValueError(
                f"{file} is damaged: it has {len(data)} bytes of SHA-256 {digest}, and was stored with "
                f"{fields['hash_value']}"
            )
        return _api.common.Payload.FromString(data)


def _write(file: pathlib.Path, data: bytes) -> None:
    """Whole or not at all."""
    made, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(made, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, 0o644)
        os.replace(name, file)
    except BaseException:
        os.unlink(name)
        raise
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
