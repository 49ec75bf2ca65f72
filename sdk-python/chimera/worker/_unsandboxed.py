"""The runner without a sandbox: the class that makes a worker's runs."""

from __future__ import annotations

import chimera.workflow
from chimera.worker._runner import WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner


class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows with the modules of the worker."""

    def prepare_workflow(self, defn: chimera.workflow._Definition) -> None:
        """Nothing to prepare."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """See the base class."""
        from chimera.worker._run import Run

        return Run(det)
