"""Streams of items that a workflow keeps and others follow, by topic and offset. Experimental, as in temporalio.

The workflow makes a `WorkflowStream` in its `__init__`; activities and other programs publish to it and subscribe with
a `WorkflowStreamClient`. Items travel by signals, subscriptions are updates that wait, so everything is in the history.
"""

from chimera.contrib.workflow_streams._client import WorkflowStreamClient
from chimera.contrib.workflow_streams._stream import WorkflowStream
from chimera.contrib.workflow_streams._topic_handle import TopicHandle, WorkflowTopicHandle
from chimera.contrib.workflow_streams._types import (
    PollInput,
    PollResult,
    PublishEntry,
    PublisherState,
    PublishInput,
    WorkflowStreamItem,
    WorkflowStreamState,
)

__all__ = [
    "PollInput",
    "PollResult",
    "PublishEntry",
    "PublishInput",
    "PublisherState",
    "TopicHandle",
    "WorkflowStream",
    "WorkflowStreamClient",
    "WorkflowStreamItem",
    "WorkflowStreamState",
    "WorkflowTopicHandle",
]
