"""The generated protocol packages, each loaded when a name of it is first used.

They take a tenth of a second to load; a program that only defines workflows never needs most of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chimera._lazy import LazyModule

if TYPE_CHECKING:
    import chimera.api.activity.v1 as activity
    import chimera.api.command.v1 as command
    import chimera.api.common.v1 as common
    import chimera.api.deployment.v1 as deployment
    import chimera.api.enums.v1 as enums
    import chimera.api.errordetails.v1 as errordetails
    import chimera.api.failure.v1 as failure
    import chimera.api.history.v1 as history
    import chimera.api.nexus.v1 as nexus
    import chimera.api.operatorservice.v1 as operatorservice
    import chimera.api.query.v1 as query
    import chimera.api.schedule.v1 as schedule
    import chimera.api.sdk.v1 as sdk
    import chimera.api.taskqueue.v1 as taskqueue
    import chimera.api.testservice.v1 as testservice
    import chimera.api.update.v1 as update
    import chimera.api.workflow.v1 as workflow
    import chimera.api.workflowservice.v1 as workflowservice
else:
    for _name in (
        "activity command common deployment enums errordetails failure history nexus operatorservice query schedule "
        "sdk taskqueue testservice update workflow workflowservice"
    ).split():
        globals()[_name] = LazyModule(f"chimera.api.{_name}.v1")


def number(value: int) -> Any:
    """An enum's value as a message's field takes it: the stubs ask for the generated enum, whose values are numbers."""
    return int(value)
