"""SandboxMatcher: a tree of names that are forbidden, in access or only in use, at run time or always."""

from types import SimpleNamespace

import pytest

from chimera.worker.workflow_sandbox import SandboxMatcher

RUNNING, IMPORTING = SimpleNamespace(is_runtime=True), SimpleNamespace(is_runtime=False)
MATCHER = SandboxMatcher(
    access={"socket"},
    children={
        "time": SandboxMatcher(use={"sleep"}, only_runtime=True),
        "os": SandboxMatcher(match_self=True, exclude={"path"}),
        "any": SandboxMatcher(children={"*": SandboxMatcher(access={"bad"})}),
    },
)


@pytest.mark.parametrize(
    "path, context, include_use, forbidden",
    [
        (("socket",), IMPORTING, False, True),
        (("socket", "socket"), RUNNING, False, True),
        (("time",), RUNNING, False, False),
        (("time", "sleep"), RUNNING, False, False),
        (("time", "sleep"), RUNNING, True, True),
        (("time", "sleep"), IMPORTING, True, False),
        (("os",), RUNNING, False, True),
        (("os", "getcwd"), RUNNING, False, True),
        (("os", "path"), RUNNING, False, False),
        (("any", "where", "bad"), RUNNING, False, True),
        (("any", "where", "good"), RUNNING, False, False),
        (("json",), RUNNING, True, False),
    ],
)
def test_what_is_forbidden(path: tuple[str, ...], context: SimpleNamespace, include_use: bool, forbidden: bool):
    assert MATCHER.match_access(context, *path, include_use=include_use) == forbidden


def test_the_matcher_of_a_child():
    assert MATCHER.child_matcher("time") is MATCHER.children["time"]
    assert MATCHER.child_matcher("time", "sleep") is SandboxMatcher.all_runtime
    assert MATCHER.child_matcher("socket") is SandboxMatcher.all
    assert MATCHER.child_matcher("os", "path") is None
    assert MATCHER.child_matcher("json") is None


def test_leaf_settings_belong_to_leaves():
    with pytest.raises(ValueError, match="leaf_message without match_self"):
        SandboxMatcher(leaf_message="no")
