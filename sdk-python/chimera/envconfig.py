"""Client configuration from the environment: a TOML file with profiles, and variables over it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from typing_extensions import Self, TypedDict

import chimera.service

if sys.version_info >= (3, 11):
    import tomllib
else:
    tomllib: Any = None

DataSource: TypeAlias = Path | str | bytes
"""A file, or the data itself."""

_TLS_SOURCES = {  # Name in files and dictionaries -> field.
    "server_ca_cert": "server_root_ca_cert",
    "client_cert": "client_cert",
    "client_key": "client_private_key",
}


class ClientConfigTLSDict(TypedDict, total=False):
    """ClientConfigTLS as a dictionary."""

    disabled: bool | None
    server_name: str
    server_ca_cert: Mapping[str, str]
    client_cert: Mapping[str, str]
    client_key: Mapping[str, str]


class ClientConfigProfileDict(TypedDict, total=False):
    """ClientConfigProfile as a dictionary."""

    address: str
    namespace: str
    api_key: str
    tls: ClientConfigTLSDict
    grpc_meta: Mapping[str, str]


class ClientConnectConfig(TypedDict, total=False):
    """Arguments for Client.connect."""

    target_host: str
    namespace: str
    api_key: str
    tls: bool | chimera.service.TLSConfig
    rpc_metadata: Mapping[str, str]


def _read(source: DataSource | None) -> bytes | None:
    if source is None or isinstance(source, bytes):
        return source
    if isinstance(source, Path):
        return source.read_bytes()
    if isinstance(source, str):
        return source.encode()
    raise TypeError(f"Source must be one of pathlib.Path, str, or bytes, but got {type(source).__name__}")


def _source_from_dict(values: Mapping[str, Any] | None) -> DataSource | None:
    if not values:
        return None
    return values["data"] if "data" in values else Path(values["path"])


def _source_to_dict(source: DataSource) -> Mapping[str, str]:
    if isinstance(source, Path):
        return {"path": str(source)}
    return {"data": source.decode() if isinstance(source, bytes) else source}


@dataclass(frozen=True)
class ClientConfigTLS:
    """Encryption of a profile."""

    disabled: bool | None = None
    server_name: str | None = None
    server_root_ca_cert: DataSource | None = None
    client_cert: DataSource | None = None
    client_private_key: DataSource | None = None

    def to_dict(self) -> ClientConfigTLSDict:
        """What from_dict takes; nothing that is unset."""
        values: dict[str, Any] = {
            name: getattr(self, name) for name in ("disabled", "server_name") if getattr(self, name) is not None
        }
        for name, attribute in _TLS_SOURCES.items():
            if getattr(self, attribute) is not None:
                values[name] = _source_to_dict(getattr(self, attribute))
        return values  # type: ignore[return-value]

    def to_connect_tls_config(self) -> bool | chimera.service.TLSConfig:
        """What Client.connect takes; reads the files."""
        if self.disabled:
            return False
        return chimera.service.TLSConfig(
            domain=self.server_name,
            server_root_ca_cert=_read(self.server_root_ca_cert),
            client_cert=_read(self.client_cert),
            client_private_key=_read(self.client_private_key),
        )

    @classmethod
    def from_dict(cls, d: ClientConfigTLSDict | None) -> Self | None:
        """None of nothing."""
        if not d:
            return None
        items = _TLS_SOURCES.items()
        sources = {attribute: _source_from_dict(d.get(name)) for name, attribute in items}  # type: ignore
        return cls(disabled=d.get("disabled"), server_name=d.get("server_name"), **sources)


@dataclass(frozen=True)
class ClientConfigProfile:
    """One profile of a file, with variables applied."""

    address: str | None = None
    namespace: str | None = None
    api_key: str | None = None
    tls: ClientConfigTLS | None = None
    grpc_meta: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, d: ClientConfigProfileDict) -> Self:
        """The reverse of to_dict."""
        return cls(
            address=d.get("address"),
            namespace=d.get("namespace"),
            api_key=d.get("api_key"),
            tls=ClientConfigTLS.from_dict(d.get("tls")),
            grpc_meta=d.get("grpc_meta") or {},
        )

    def to_dict(self) -> ClientConfigProfileDict:
        """Nothing that is unset."""
        values: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("address", "namespace", "api_key")
            if getattr(self, name) is not None
        }
        if self.tls is not None and (tls := self.tls.to_dict()):
            values["tls"] = tls
        if self.grpc_meta:
            values["grpc_meta"] = self.grpc_meta
        return values  # type: ignore[return-value]

    def to_client_connect_config(self) -> ClientConnectConfig:
        """Arguments for Client.connect; an API key turns TLS on unless the profile disables it."""
        config: ClientConnectConfig = {}
        if self.address:
            config["target_host"] = self.address
        if self.namespace is not None:
            config["namespace"] = self.namespace
        if self.api_key is not None:
            config["api_key"] = self.api_key
            config["tls"] = True
        if self.tls is not None:
            config["tls"] = self.tls.to_connect_tls_config()
        if self.grpc_meta:
            config["rpc_metadata"] = self.grpc_meta
        return config

    @staticmethod
    def load(
        profile: str | None = None,
        *,
        config_source: DataSource | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfigProfile:
        """Reads one profile: the argument's, else TEMPORAL_PROFILE's, else `default`."""
        if disable_file and disable_env:
            raise RuntimeError("Cannot disable both the configuration file and the environment's variables")
        environment = os.environ if override_env_vars is None else override_env_vars
        variables: Mapping[str, str] = {} if disable_env else environment
        profiles = {} if disable_file else _profiles(config_source, environment, config_file_strict)
        name = profile or variables.get("TEMPORAL_PROFILE") or None
        if name is not None and name not in profiles and not disable_file:
            raise RuntimeError(f"Profile '{name}' not found in the configuration file")
        values = profiles.get(name or "default", {})
        return ClientConfigProfile.from_dict(_with_variables(values, variables))  # type: ignore[arg-type]


@dataclass
class ClientConfig:
    """All profiles of a file."""

    profiles: Mapping[str, ClientConfigProfile]

    def to_dict(self) -> Mapping[str, ClientConfigProfileDict]:
        """Each profile as a dictionary."""
        return {name: profile.to_dict() for name, profile in self.profiles.items()}

    @classmethod
    def from_dict(cls, d: Mapping[str, ClientConfigProfileDict]) -> Self:
        """The reverse of to_dict."""
        return cls({name: ClientConfigProfile.from_dict(values) for name, values in d.items()})

    @staticmethod
    def load(
        *,
        config_source: DataSource | None = None,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConfig:
        """Reads a file: the one given, else TEMPORAL_CONFIG_FILE, else the user's temporalio/temporal.toml."""
        environment = os.environ if override_env_vars is None else override_env_vars
        return ClientConfig.from_dict(_profiles(config_source, environment, config_file_strict))

    @staticmethod
    def load_client_connect_config(
        profile: str | None = None,
        *,
        config_file: str | None = None,
        disable_file: bool = False,
        disable_env: bool = False,
        config_file_strict: bool = False,
        override_env_vars: Mapping[str, str] | None = None,
    ) -> ClientConnectConfig:
        """Reads one profile, as arguments for Client.connect."""
        return ClientConfigProfile.load(
            profile,
            config_source=Path(config_file) if config_file else None,
            disable_file=disable_file,
            disable_env=disable_env,
            config_file_strict=config_file_strict,
            override_env_vars=override_env_vars,
        ).to_client_connect_config()


_PROFILE_KEYS = {"address", "namespace", "api_key", "tls", "codec", "grpc_meta", "authority"}
_TLS_KEYS = {"disabled", "server_name", "disable_host_verification"} | {
    f"{name}_{kind}" for name in _TLS_SOURCES for kind in ("path", "data")
}


def _default_file() -> Path:
    if sys.platform == "darwin":
        folder = Path.home() / "Library" / "Application Support"
    else:
        folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "temporalio" / "temporal.toml"


def _profiles(source: DataSource | None, environment: Mapping[str, str], strict: bool) -> dict[str, Any]:
    if source is None:
        named = environment.get("TEMPORAL_CONFIG_FILE")
        source = Path(named) if named else _default_file()
    if isinstance(source, Path) and not source.exists():
        return {}
    if tomllib is None:
        raise RuntimeError("Reading configuration files needs Python 3.11 or newer")
    data = _read(source) or b""
    try:
        parsed = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise RuntimeError(f"TOML parse error in the configuration file {source!r}: {err}") from err
    if strict:
        _refuse_unknown(parsed, {"profile"}, "the file")
    return {name: _profile(table, name, strict) for name, table in parsed.get("profile", {}).items()}


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise RuntimeError(f"unknown field `{unknown[0]}` in {where} of the configuration")


def _profile(table: Mapping[str, Any], name: str, strict: bool) -> dict[str, Any]:
    if strict:
        _refuse_unknown(table, _PROFILE_KEYS, f"profile {name}")
        _refuse_unknown(table.get("tls", {}), _TLS_KEYS, f"the TLS table of profile {name}")
    values = {key: table[key] for key in ("address", "namespace", "api_key") if key in table}
    if "tls" in table:
        values["tls"] = _tls(table["tls"], f"profile {name}")
    if "grpc_meta" in table:
        values["grpc_meta"] = {key.lower().replace("_", "-"): text for key, text in table["grpc_meta"].items()}
    return values


def _tls(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    values: dict[str, Any] = {key: table[key] for key in ("disabled", "server_name") if key in table}
    for source in _TLS_SOURCES:
        given = {kind: table[f"{source}_{kind}"] for kind in ("path", "data") if f"{source}_{kind}" in table}
        if len(given) > 1:
            raise RuntimeError(f"Cannot specify both {source}_path and {source}_data in {where}")
        if given:
            values[source] = _as_read(given)
    return values or {"disabled": None}


def _as_read(source: Mapping[str, str]) -> dict[str, Any]:
    """Data is bytes, wherever it was read."""
    return {"data": source["data"].encode()} if "data" in source else dict(source)


def _boolean(name: str, text: str) -> bool:
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise RuntimeError(f"{name} must be true, false, 1 or 0, not '{text}'")
    return values[text.lower()]


def _with_variables(values: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    result = dict(values)
    for key in ("address", "namespace", "api_key"):
        if text := variables.get(f"TEMPORAL_{key.upper()}"):
            result[key] = text
    tls = dict(result.get("tls", {}))
    if "TEMPORAL_TLS" in variables:
        tls["disabled"] = not _boolean("TEMPORAL_TLS", variables["TEMPORAL_TLS"])
    if name := variables.get("TEMPORAL_TLS_SERVER_NAME"):
        tls["server_name"] = name
    for source in _TLS_SOURCES:
        given = {
            kind: text
            for kind in ("path", "data")
            if (text := variables.get(f"TEMPORAL_TLS_{source.upper()}_{kind.upper()}"))
        }
        for kind in given:
            other = "data" if kind == "path" else "path"
            if other in given or other in tls.get(source, {}):
                what, variable = source.rpartition("_")[2], f"TEMPORAL_TLS_{source.upper()}_{kind.upper()}"
                raise RuntimeError(
                    f"Cannot specify {what} {kind} via {variable} when {what} {other} is already specified"
                )
        if given:
            tls[source] = _as_read(given)
    if tls:
        result["tls"] = tls
    grpc_meta = dict(result.get("grpc_meta", {}))
    for variable, text in variables.items():
        if variable.startswith("TEMPORAL_GRPC_META_"):
            key = variable.removeprefix("TEMPORAL_GRPC_META_").lower().replace("_", "-")
            if text:
                grpc_meta[key] = text
            else:
                grpc_meta.pop(key, None)
    if grpc_meta:
        result["grpc_meta"] = grpc_meta
    return result
