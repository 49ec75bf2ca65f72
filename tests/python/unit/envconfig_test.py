"""The configuration standard: profiles of a file, and variables over them."""

import pytest

from chimera.envconfig import ClientConfig, ClientConfigProfile

FILE = """
[profile.default]
address = "a:1"
[profile.default.tls]
server_name = "x"
client_cert_data = "c"
[profile.default.grpc_meta]
Some_Key = "v"
[profile.cloud]
api_key = "k"
"""


def test_variables_win_over_the_file():
    variables = {"TEMPORAL_NAMESPACE": "ns", "TEMPORAL_ADDRESS": "b:2", "TEMPORAL_GRPC_META_OTHER_KEY": "w"}

    profile = ClientConfigProfile.load(config_source=FILE, override_env_vars=variables)

    assert (profile.address, profile.namespace) == ("b:2", "ns")
    assert profile.grpc_meta == {"some-key": "v", "other-key": "w"}


def test_an_api_key_turns_tls_on_unless_it_is_disabled():
    on = ClientConfigProfile.load("cloud", config_source=FILE, override_env_vars={})
    off = ClientConfigProfile.load("cloud", config_source=FILE, override_env_vars={"TEMPORAL_TLS": "0"})

    assert on.to_client_connect_config()["tls"] is True
    assert off.to_client_connect_config()["tls"] is False


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"profile": "none"}, "Profile 'none' not found"),
        (
            {"override_env_vars": {"TEMPORAL_TLS_CLIENT_CERT_PATH": "p"}},
            "cert path via TEMPORAL_TLS_CLIENT_CERT_PATH when cert data",
        ),
        ({"override_env_vars": {"TEMPORAL_TLS": "perhaps"}}, "must be true, false, 1 or 0"),
        ({"config_source": "x = 1", "config_file_strict": True}, "unknown field `x`"),
        ({"config_source": "x = "}, "TOML parse error in the configuration file"),
        ({"disable_file": True, "disable_env": True}, "Cannot disable both"),
    ],
)
def test_bad_input_says_what(arguments: dict, message: str):
    with pytest.raises(RuntimeError, match=message):
        ClientConfigProfile.load(**{"config_source": FILE, "override_env_vars": {}, **arguments})


def test_dictionaries_round_trip():
    config = ClientConfig.load(config_source=FILE)

    again = ClientConfig.from_dict(config.to_dict())

    assert again.to_dict() == config.to_dict()
    assert again.profiles["default"].to_client_connect_config() == config.profiles["default"].to_client_connect_config()


def test_data_is_bytes_wherever_it_was_read():
    variables = {"TEMPORAL_TLS_CLIENT_KEY_DATA": "k"}

    tls = ClientConfigProfile.load(config_source=FILE, override_env_vars=variables).tls

    assert tls is not None and (tls.client_cert, tls.client_private_key) == (b"c", b"k")
