package main

import (
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// Signals, queries and updates.
var messageScenarios = []scenario{
	{"signal", signal}, {"signal_with_start", signalWithStart}, {"external_signal_and_cancel", externalSignalAndCancel},
	{"query", query}, {"update_accepted", updateAccepted}, {"update_rejected", updateRejected},
	{"update_with_activity", updateWithActivity}, {"update_failing", updateFailing}, {"update_with_start", updateWithStart},
}

const completedText = "workflow execution already completed"

func signal(b *bench) string {
	run := b.start(messages)
	for _, word := range []string{"one", "two", "three"} {
		b.signal(run, "add", word)
	}
	b.signal(run, "end", nil)
	b.expect("words", result[[]string](b, run), []string{"one", "two", "three"})
	late := failsAs[*serviceerror.NotFound](b, "signal to a closed workflow", completedText,
		b.client.SignalWorkflow(b, run.GetID(), "", "add", "late"))
	return "three in order, then: " + late.Error()
}

func signalWithStart(b *bench) string {
	options := b.options()
	first, err := b.client.SignalWithStartWorkflow(b, options.ID, "add", "new", options, messages)
	b.must("start", err)
	b.runs.add(first.GetID(), first.GetRunID())
	second, err := b.client.SignalWithStartWorkflow(b, options.ID, "add", "again", options, messages)
	b.must("start again", err)
	b.expect("runs", second.GetRunID(), first.GetRunID())
	b.signal(first, "end", nil)
	b.expect("words", result[[]string](b, first), []string{"new", "again"})
	return "a new run, then the same run"
}

func externalSignalAndCancel(b *bench) string {
	target := b.start(messages)
	nobody := result[string](b, b.start(caller, target.GetID()))
	failsAs[*temporal.CanceledError](b, "target", "", target.Get(b, nil))
	b.expect("target's status", b.status(target.GetID(), ""), "Canceled")
	b.expect("target's words", b.query(target.GetID(), "", "text", "+"), "from outside")
	return "delivered; " + nobody
}

func query(b *bench) string {
	run := b.start(messages)
	b.signal(run, "add", "a")
	b.signal(run, "add", "b")
	b.expect("running", b.query(run.GetID(), "", "text", "+"), "a+b")
	_, err := b.client.QueryWorkflow(b, run.GetID(), "", "broken")
	broken := failsAs[*serviceerror.QueryFailed](b, "failing query", "this query always fails", err)
	_, err = b.client.QueryWorkflow(b, run.GetID(), "", "no_such_query")
	failsAs[*serviceerror.QueryFailed](b, "unknown query", "no_such_query", err)
	before := b.events(run.GetID(), "")
	b.query(run.GetID(), "", "text", "+")
	b.expect("events after a query", b.events(run.GetID(), ""), before)
	b.signal(run, "end", nil)
	result[[]string](b, run)
	b.expect("closed", b.query(run.GetID(), run.GetRunID(), "text", "-"), "a-b")
	rejected, err := b.client.QueryWorkflowWithOptions(b, &client.QueryWorkflowWithOptionsRequest{
		WorkflowID: run.GetID(), QueryType: "text", Args: []any{"-"},
		QueryRejectCondition: enumspb.QUERY_REJECT_CONDITION_NOT_OPEN})
	b.must("rejected query", err)
	b.expect("rejected for status", rejected.QueryRejected.GetStatus().String(), "Completed")
	return "running a+b, closed a-b, failing: " + broken.Error()
}

func (b *bench) update(run client.WorkflowRun, id, name string, args ...any) (client.WorkflowUpdateHandle, error) {
	return b.client.UpdateWorkflow(b, client.UpdateWorkflowOptions{WorkflowID: run.GetID(), UpdateID: id, UpdateName: name,
		Args: args, WaitForStage: client.WorkflowUpdateStageAccepted})
}

// updated sends an update and waits for its outcome.
func updated[T any](b *bench, run client.WorkflowRun, id, name string, args ...any) (T, error) {
	var value T
	handle, err := b.update(run, id, name, args...)
	if err == nil {
		err = handle.Get(b, &value)
	}
	return value, err
}

func mustUpdate[T any](b *bench, run client.WorkflowRun, id, name string, args ...any) T {
	value, err := updated[T](b, run, id, name, args...)
	b.must("update "+name, err)
	return value
}

func updateAccepted(b *bench) string {
	run := b.start(messages)
	b.expect("result", mustUpdate[int](b, run, "u1", "append", "one"), 1)
	b.expect("same id again", mustUpdate[int](b, run, "u1", "append", "one"), 1)
	b.expect("text", b.query(run.GetID(), "", "text", "+"), "one")
	b.signal(run, "end", nil)
	result[[]string](b, run)
	var after int
	b.must("after the end", b.client.GetWorkflowUpdateHandle(client.GetWorkflowUpdateHandleOptions{
		WorkflowID: run.GetID(), RunID: run.GetRunID(), UpdateID: "u1"}).Get(b, &after))
	b.expect("after the end", after, 1)
	_, err := updated[int](b, run, "", "append", "late")
	failsAs[*serviceerror.NotFound](b, "update of a closed workflow", completedText, err)
	return "completed once, known by its id, also after the end"
}

func updateRejected(b *bench) string {
	run := b.start(messages)
	b.eventually("first task", 1, func() any { return len(b.events(run.GetID(), "", "WorkflowTaskCompleted")) })
	before := b.events(run.GetID(), "")
	_, err := updated[int](b, run, "", "append", "")
	saw := describeFailure(failsAs[*temporal.ApplicationError](b, "update", "an empty word", err))
	b.expect("failure", saw, "EmptyWord/an empty word//-1/false")
	b.expect("events after a rejection", b.events(run.GetID(), ""), before)
	return saw + ", no trace in the history"
}

func updateWithActivity(b *bench) string {
	run := b.start(messages)
	b.expect("result", mustUpdate[string](b, run, "", "append_echo", "deep"), "deep")
	b.expect("events", b.events(run.GetID(), "", "Update", "Activity"), []string{"WorkflowExecutionUpdateAccepted",
		"ActivityTaskScheduled", "ActivityTaskStarted", "ActivityTaskCompleted", "WorkflowExecutionUpdateCompleted"})
	return "accepted, ran an activity, completed"
}

func updateFailing(b *bench) string {
	run := b.start(messages)
	handle, err := b.update(run, "", "fail_later")
	b.must("accepted", err)
	saw := describeFailure(failsAs[*temporal.ApplicationError](b, "update", "accepted, then failed", handle.Get(b, nil)))
	b.expect("failure", saw, "TooLate/accepted, then failed//-1/false")
	b.expect("status", b.status(run.GetID(), ""), "Running")
	return saw + ", the workflow runs on"
}

func updateWithStart(b *bench) string {
	options := b.options()
	options.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING
	once := func(word string) (int, string, error) {
		operation := b.client.NewWithStartWorkflowOperation(options, messages)
		handle, err := b.client.UpdateWithStartWorkflow(b, client.UpdateWithStartWorkflowOptions{
			StartWorkflowOperation: operation,
			UpdateOptions: client.UpdateWorkflowOptions{UpdateName: "append", Args: []any{word},
				WaitForStage: client.WorkflowUpdateStageCompleted}})
		var length int
		if err == nil {
			err = handle.Get(b, &length)
		}
		run, startErr := operation.Get(b)
		b.must("start", startErr)
		return length, run.GetRunID(), err
	}
	length, first, err := once("one")
	b.must("new", err)
	b.expect("new", length, 1)
	b.runs.add(options.ID, first)
	length, second, err := once("two")
	b.must("existing", err)
	b.expect("existing", length, 2)
	b.expect("runs", second, first)
	_, _, err = once("")
	failsAs[*temporal.ApplicationError](b, "rejected", "an empty word", err)
	return "a new run, the same run, then rejected"
}
