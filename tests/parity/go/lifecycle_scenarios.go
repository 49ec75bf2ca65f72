package main

import (
	"fmt"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
)

// How runs end, follow each other, and survive their worker.
var lifecycleScenarios = []scenario{
	{"workflow_cancel", workflowCancel}, {"workflow_terminate", workflowTerminate}, {"start_twice", startTwice},
	{"continue_as_new", continueAsNew}, {"parent_close_policy", parentClosePolicy}, {"reset", reset},
	{"sticky_cache_lost", stickyCacheLost},
}

func workflowCancel(b *bench) string {
	run := b.start(cleansUp)
	b.must("cancel", b.client.CancelWorkflow(b, run.GetID(), ""))
	failsAs[*temporal.CanceledError](b, "result", "", run.Get(b, nil))
	b.expect("status", b.status(run.GetID(), ""), "Canceled")
	b.expect("clean-up", b.events(run.GetID(), "", "ActivityTaskCompleted"), []string{"ActivityTaskCompleted"})
	b.must("cancel a closed workflow", b.client.CancelWorkflow(b, run.GetID(), ""))
	return "cleaned up by an activity, then Canceled"
}

func workflowTerminate(b *bench) string {
	run := b.start(cleansUp)
	b.must("terminate", b.client.TerminateWorkflow(b, run.GetID(), "", "no longer wanted", "a detail"))
	failsAs[*temporal.TerminatedError](b, "result", "", run.Get(b, nil))
	b.expect("status", b.status(run.GetID(), ""), "Terminated")
	events := b.history(run.GetID(), "")
	attributes := events[len(events)-1].GetWorkflowExecutionTerminatedEventAttributes()
	var detail string
	b.must("details", converter.GetDefaultDataConverter().FromPayloads(attributes.GetDetails(), &detail))
	b.expect("reason and detail", []string{attributes.GetReason(), detail}, []string{"no longer wanted", "a detail"})
	failsAs[*serviceerror.NotFound](b, "terminate again", completedText,
		b.client.TerminateWorkflow(b, run.GetID(), "", ""))
	return "Terminated: " + attributes.GetReason()
}

func startTwice(b *bench) string {
	run := b.start(messages)
	options := b.options()
	options.ID = run.GetID()
	_, err := b.client.ExecuteWorkflow(b, options, messages)
	already := failsAs[*serviceerror.WorkflowExecutionAlreadyStarted](b, "second start", "", err)
	b.expect("run", already.RunId, run.GetRunID())
	_, err = b.client.DescribeWorkflowExecution(b, b.newID(), "")
	failsAs[*serviceerror.NotFound](b, "unknown id", "workflow not found for ID", err)
	return already.Error()
}

func continueAsNew(b *bench) string {
	options := b.options()
	options.Memo = map[string]any{"kept": "yes"}
	run := b.startWith(options, countdown, 2, []string{})
	runs := result[[]string](b, run)
	b.expect("runs", len(runs), 3)
	var statuses []string
	for _, runID := range runs {
		statuses = append(statuses, b.status(run.GetID(), runID))
	}
	b.expect("statuses", statuses, []string{"ContinuedAsNew", "ContinuedAsNew", "Completed"})
	b.runs.add(run.GetID(), runs[2])
	started := b.history(run.GetID(), runs[2])[0].GetWorkflowExecutionStartedEventAttributes()
	b.expect("chain", []string{started.ContinuedExecutionRunId, started.FirstExecutionRunId}, []string{runs[1], runs[0]})
	b.expect("memo", string(started.Memo.GetFields()["kept"].GetData()), `"yes"`)
	return "three runs, result followed, memo kept"
}

func parentClosePolicy(b *bench) string {
	wanted := map[enumspb.ParentClosePolicy]string{enumspb.PARENT_CLOSE_POLICY_TERMINATE: "Terminated",
		enumspb.PARENT_CLOSE_POLICY_ABANDON: "Running", enumspb.PARENT_CLOSE_POLICY_REQUEST_CANCEL: "Canceled"}
	children := map[enumspb.ParentClosePolicy]string{}
	for policy := range wanted {
		children[policy] = b.newID()
		b.must("parent", b.start(leaver, policy, children[policy]).Get(b, nil))
	}
	for policy, child := range children {
		b.eventually("child under "+policy.String(), wanted[policy], func() any { return b.status(child, "") })
	}
	abandoned := children[enumspb.PARENT_CLOSE_POLICY_ABANDON]
	b.must("terminate", b.client.TerminateWorkflow(b, abandoned, "", ""))
	return "terminated, abandoned, canceled"
}

func reset(b *bench) string {
	run := b.start(messages)
	b.expect("update", mustUpdate[int](b, run, "", "append", "first"), 1)
	b.signal(run, "add", "second")
	base := run.GetRunID()
	// Back to the first workflow task while the run is open: it is terminated, and its signals and
	// updates are applied again.
	reply, err := b.client.ResetWorkflowExecution(b, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", Reason: "try again", RequestId: b.newID(), WorkflowTaskFinishEventId: 4,
		WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: base}})
	b.must("reset", err)
	b.runs.add(run.GetID(), reply.RunId)
	b.expect("base", b.status(run.GetID(), base), "Terminated")
	again := b.client.GetWorkflow(b, run.GetID(), reply.RunId)
	b.signal(again, "end", nil)
	b.expect("words after the reset", result[[]string](b, again), []string{"first", "second"})
	if reply.RunId == base || !slices.Contains(b.events(run.GetID(), reply.RunId), "WorkflowTaskFailed") {
		b.fail("run %s is no reset of %s: %v", reply.RunId, base, b.events(run.GetID(), reply.RunId))
	}
	return "the open run terminated; a new one from event 4, signal and update applied again"
}

// The first worker goes away, then its cache: the next one replays from the beginning.
func stickyCacheLost(b *bench) string {
	options := b.options()
	options.TaskQueue = b.newID()
	stop := b.worker(options.TaskQueue)
	run := b.startWith(options, messages)
	mustUpdate[string](b, run, "", "append_echo", "before")
	stop()
	stop = b.worker(options.TaskQueue)
	defer func() { stop() }()
	b.expect("after the restart", b.query(run.GetID(), "", "text", "+"), "before")
	mustUpdate[string](b, run, "", "append_echo", "after")
	worker.PurgeStickyWorkflowCache()
	b.expect("without a cache", b.query(run.GetID(), "", "text", "+"), "before+after")
	b.signal(run, "end", nil)
	b.expect("words", result[[]string](b, run), []string{"before", "after"})
	return "two workers and a purged cache, one state"
}

// replay sends every history that the scenarios left through the official replayer. Runs last.
func replay(b *bench) string {
	replayer := worker.NewWorkflowReplayer()
	registerAll(replayer)
	for _, run := range b.runs.runs {
		history := &historypb.History{Events: b.history(run.id, run.runID)}
		err := replayer.ReplayWorkflowHistory(quiet, history)
		b.must(run.id, err)
	}
	if len(b.runs.runs) == 0 {
		b.fail("there is no history to replay")
	}
	return fmt.Sprintf("%d histories", len(b.runs.runs))
}
