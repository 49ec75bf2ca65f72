"""The threads of workflow code and their watchdog, without workflows."""

import threading

import pytest

from chimera.worker._workflow_threads import Abandoned, WorkflowThreads


def test_code_that_ends_while_it_is_answered_for_waits_for_that() -> None:
    """What follows the end of the code would not see yet what the answer leaves behind."""
    let_go, back, order = threading.Event(), threading.Event(), []

    def on_abandoned(what: object, error: Exception) -> None:
        let_go.set()
        back.wait(0.3)  # It must not come back before this has returned.
        order.append("answered")

    def run() -> None:
        with pytest.raises(Abandoned):
            threads.watched("what", lambda _: let_go.wait(30), None)
        order.append("back")
        back.set()

    threads = WorkflowThreads(0.02, on_abandoned)
    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    threads.close()

    assert order == ["answered", "back"]
