"""Names of Nexus services that work without a worker that handles them."""

import base64
import json

import pytest

from chimera import nexus


def token_of(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_token_is_what_official_sdks_write_and_read():
    handle = nexus.WorkflowHandle(namespace="billing", workflow_id="order-1?>")

    assert handle.to_token() == "eyJ0IjoxLCJucyI6ImJpbGxpbmciLCJ3aWQiOiJvcmRlci0xPz4ifQ"
    assert nexus.WorkflowHandle.from_token(handle.to_token()) == handle


def test_token_may_have_an_empty_namespace_and_version_zero():
    token = token_of({"t": 1, "ns": "", "wid": "w", "v": 0})

    assert nexus.WorkflowHandle.from_token(token) == nexus.WorkflowHandle("", "w", 0)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "empty"),
        ("a+b/", "base64url"),
        (token_of({})[:-1], "base64url|unmarshal"),
        (token_of(["t"]), "expected dict"),
        (token_of({"t": 2, "ns": "n", "aid": "a"}), "token type: 2, expected: 1"),
        (token_of({"t": 1, "ns": "n"}), "workflow id"),
        (token_of({"t": 1, "ns": "n", "wid": 7}), "workflow id to be a string, got 7"),
        (token_of({"t": 1, "wid": "w"}), "namespace"),
        (token_of({"t": 1, "ns": "n", "wid": "w", "v": 1}), "'v' field, if present, must be 0"),
    ],
)
def test_what_is_no_workflow_token_is_refused(token: str, message: str):
    with pytest.raises(TypeError, match=message):
        nexus.WorkflowHandle.from_token(token)
