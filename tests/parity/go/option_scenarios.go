package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// Options and ends that the other scenarios leave out.
var optionScenarios = []scenario{
	{"activity_given_up", activityGivenUp}, {"next_retry_delay", nextRetryDelay}, {"activity_timeouts", activityTimeouts},
	{"activity_completed_by_token", completedByToken}, {"activity_cancelled_by_others", cancelledByOthers},
	{"cancelled_by_workflow", cancelledByWorkflow}, {"local_activities", localActivities},
	{"query_reject_conditions", queryRejectConditions}, {"update_of_closing_workflow", updateOfClosingWorkflow},
	{"child_ended_by_others", childEndedByOthers},
	{"continue_as_other", continueAsOther}, {"reset_without_signals", resetWithoutSignals}, {"task_failure", taskFailure},
	{"side_effects", sideEffectsKept}, {"worker_stops_at_once", workerStopsAtOnce}, {"many_results", manyResults},
	{"long_history", longHistory},
}

func activityGivenUp(b *bench) string {
	soon := temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, BackoffCoefficient: 1}
	attempts, kinds, later := soon, soon, soon
	attempts.MaximumAttempts, kinds.NonRetryableErrorTypes, later.InitialInterval = 2, []string{"NotYet"}, 20*time.Second
	b.expect("attempts", result[string](b, b.start(givenUp, attempts, time.Duration(0))),
		"MaximumAttemptsReached NotYet/attempt 2 of 1000//-1/false")
	b.expect("type", result[string](b, b.start(givenUp, kinds, time.Duration(0))),
		"NonRetryableFailure NotYet/attempt 1 of 1000//-1/false")
	b.expect("time", result[string](b, b.start(givenUp, later, 10*time.Second)),
		"Timeout NotYet/attempt 1 of 1000//-1/false")
	return "out of attempts, not to be retried, out of time"
}

func nextRetryDelay(b *bench) string {
	b.expect("attempt", result[int](b, b.start(hurried)), 2)
	return "its own delay, not the policy's hour"
}

func activityTimeouts(b *bench) string {
	brief, once := 300*time.Millisecond, &temporal.RetryPolicy{MaximumAttempts: 1}
	for wanted, options := range map[string]workflow.ActivityOptions{
		"StartToClose":    {StartToCloseTimeout: brief, RetryPolicy: once},
		"ScheduleToStart": {StartToCloseTimeout: short, ScheduleToStartTimeout: brief, TaskQueue: b.newID()},
		"ScheduleToClose": {StartToCloseTimeout: short, ScheduleToCloseTimeout: brief},
	} {
		b.expect(wanted, result[string](b, b.start(timesOut, options)), wanted)
	}
	return "start to close, schedule to start, schedule to close"
}

// answerable starts a workflow whose activity waits for somebody else's answer, and returns the activity's token.
func answerable(b *bench) (client.WorkflowRun, []byte) {
	run := b.start(answeredLater)
	b.eventually("started", true, func() any {
		_, open := tokens.Load(run.GetID())
		return open
	})
	token, _ := tokens.Load(run.GetID())
	return run, token.([]byte)
}

func completedByToken(b *bench) string {
	done, token := answerable(b)
	b.must("heartbeat", b.client.RecordActivityHeartbeat(b, token, "on its way"))
	b.must("complete", b.client.CompleteActivity(b, token, "by token", nil))
	b.expect("completed", result[string](b, done), "by token")
	broken, token := answerable(b)
	failure := temporal.NewNonRetryableApplicationError("no answer", "Silence",
		temporal.NewApplicationError("the reason", "Reason"))
	b.must("fail", b.client.CompleteActivity(b, token, nil, failure))
	err := failsAs[*temporal.ActivityError](b, "failed", "no answer", broken.Get(b, nil))
	saw := describeFailure(err.Unwrap())
	b.expect("failure", saw, "Silence/no answer//-1/true <- Reason/the reason//-1/false")
	if b.client.CompleteActivity(b, token, "late", nil) == nil {
		b.fail("an activity was completed twice")
	}
	return "completed, failed with a cause, not twice"
}

func cancelledByOthers(b *bench) string {
	run, token := answerable(b)
	b.must("cancel", b.client.CancelWorkflow(b, run.GetID(), ""))
	b.eventually("heartbeat", true, func() any {
		return temporal.IsCanceledError(b.client.RecordActivityHeartbeat(b, token, "still running"))
	})
	b.must("report", b.client.CompleteActivity(b, token, nil, temporal.NewCanceledError("put away")))
	failsAs[*temporal.CanceledError](b, "result", "", run.Get(b, nil))
	b.expect("events", b.events(run.GetID(), "", "ActivityTaskCancel"),
		[]string{"ActivityTaskCancelRequested", "ActivityTaskCanceled"})
	return "heard at a heartbeat, reported"
}

func cancelledByWorkflow(b *bench) string {
	for _, what := range []string{"activity", "child", "early child"} {
		id := b.newID()
		b.expect(what, result[string](b, b.start(cancelsOther, what, id)), "cancelled")
		if what == "child" {
			b.expect("child", b.status(id, ""), "Canceled")
		}
	}
	return "an activity that nobody took, a child, a child before its start"
}

func localActivities(b *bench) string {
	run := b.start(locals)
	b.expect("results", result[[]string](b, run),
		[]string{"3", "CardDeclined/card declined/order-18/42/true <- BankError/the bank said no/code 51/-1/false"})
	b.expect("events", b.events(run.GetID(), "", "Marker", "Activity"), []string{"MarkerRecorded", "MarkerRecorded"})
	return "retried, failed"
}

func queryRejectConditions(b *bench) string {
	open, done, broken := b.start(messages), b.start(echo, "x"), b.start(fails, "x")
	result[string](b, done)
	failsAs[*temporal.WorkflowExecutionError](b, "result", "x", broken.Get(b, nil))
	saw := []string{}
	for _, condition := range []enumspb.QueryRejectCondition{enumspb.QUERY_REJECT_CONDITION_NONE,
		enumspb.QUERY_REJECT_CONDITION_NOT_OPEN, enumspb.QUERY_REJECT_CONDITION_NOT_COMPLETED_CLEANLY} {
		for _, run := range []client.WorkflowRun{open, done, broken} {
			reply, err := b.client.QueryWorkflowWithOptions(b, &client.QueryWorkflowWithOptionsRequest{
				WorkflowID: run.GetID(), QueryType: client.QueryTypeStackTrace, QueryRejectCondition: condition})
			b.must("query", err)
			if reply.QueryRejected == nil {
				saw = append(saw, "answered")
			} else {
				saw = append(saw, reply.QueryRejected.Status.String())
			}
		}
	}
	b.expect("open, completed, failed", saw, []string{"answered", "answered", "answered", "answered", "Completed", "Failed",
		"answered", "answered", "Failed"})
	return fmt.Sprint(saw)
}

func updateOfClosingWorkflow(b *bench) string {
	_, err := updated[int](b, b.start(leavesUpdate), "", "never")
	failure := failsAs[*temporal.ApplicationError](b, "update", "", err)
	b.expect("type", failure.Type(), "AcceptedUpdateCompletedWorkflow")
	return failure.Message()
}

func childEndedByOthers(b *bench) string {
	saw := []string{}
	for _, end := range []func(string) error{
		func(id string) error { return b.client.TerminateWorkflow(b, id, "", "no longer wanted") },
		func(id string) error { return b.client.CancelWorkflow(b, id, "") },
	} {
		child := b.newID()
		run := b.start(parent, "messages", "", child)
		b.eventually("child", 1, func() any { return len(b.events(run.GetID(), "", "ChildWorkflowExecutionStarted")) })
		b.must("end", end(child))
		saw = append(saw, result[string](b, run))
		events := b.events(run.GetID(), "", "Child")
		saw = append(saw, events[len(events)-1])
	}
	b.expect("what the parent saw", saw, []string{"*internal.TerminatedError", "ChildWorkflowExecutionTerminated",
		"*internal.CanceledError", "ChildWorkflowExecutionCanceled"})
	return "terminated and cancelled, and the parent was told"
}

func continueAsOther(b *bench) string {
	options := b.options()
	options.Memo, options.WorkflowRunTimeout = map[string]any{"kept": "first"}, 50*time.Second
	next := result[told](b, b.startWith(options, changes))
	b.expect("what the next run was told", []any{next.Type, next.Memo, next.RunTimeout},
		[]any{"tellsInfo", "second", 90 * time.Second})
	return "another type, memo and timeout"
}

func resetWithoutSignals(b *bench) string {
	run := b.start(messages)
	b.expect("update", mustUpdate[int](b, run, "", "append", "first"), 1)
	b.signal(run, "end", nil)
	result[[]string](b, run)
	reply, err := b.client.ResetWorkflowExecution(b, &workflowservice.ResetWorkflowExecutionRequest{
		Namespace: "default", Reason: "try again", RequestId: b.newID(), WorkflowTaskFinishEventId: 4,
		WorkflowExecution:        &commonpb.WorkflowExecution{WorkflowId: run.GetID(), RunId: run.GetRunID()},
		ResetReapplyExcludeTypes: []enumspb.ResetReapplyExcludeType{enumspb.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL}})
	b.must("reset", err)
	b.runs.add(run.GetID(), reply.RunId)
	b.expect("base", b.status(run.GetID(), run.GetRunID()), "Completed")
	again := b.client.GetWorkflow(b, run.GetID(), reply.RunId)
	b.expect("an update of the new run", mustUpdate[int](b, again, "", "append", "second"), 2)
	b.signal(again, "end", nil)
	b.expect("words", result[[]string](b, again), []string{"first", "second"})
	return "a closed run, its update applied again without its signal"
}

// Code that panics: its task fails, again and again, until there is better code.
func taskFailure(b *bench) string {
	run := b.start(hasABug)
	b.runs.drop(run.GetID())
	b.eventually("failed task", true, func() any { return slices.Contains(b.events(run.GetID(), ""), "WorkflowTaskFailed") })
	for _, event := range b.history(run.GetID(), "") {
		if failed := event.GetWorkflowTaskFailedEventAttributes(); failed != nil {
			b.expect("failure", []string{failed.Failure.Message, failed.Cause.String()},
				[]string{"a bug of the program", "WorkflowWorkerUnhandledFailure"})
		}
	}
	b.expect("status", b.status(run.GetID(), ""), "Running")
	b.must("terminate", b.client.TerminateWorkflow(b, run.GetID(), "", ""))
	return "failed, and the workflow waits for better code"
}

func sideEffectsKept(b *bench) string {
	run := b.start(sideEffects)
	b.expect("looks", result[[]int64](b, run), []int64{7, 7, 9})
	ask := func() int64 {
		value, err := b.client.QueryWorkflow(b, run.GetID(), "", "nanos")
		b.must("query", err)
		var nanos int64
		b.must("query", value.Get(&nanos))
		return nanos
	}
	b.expect("a side effect, later", ask(), ask())
	return "one value for all times; a mutable one changes when it says so"
}

func workerStopsAtOnce(b *bench) string {
	options := b.options()
	options.TaskQueue = b.newID()
	stop := b.worker(options.TaskQueue)
	run := b.startWith(options, messages)
	mustUpdate[int](b, run, "", "append", "seen")
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 3*time.Second {
		b.fail("an idle worker took %s to stop", took)
	}
	// What comes while nobody is there waits for the next worker, though the sticky queue is gone.
	b.signal(run, "end", nil)
	defer b.worker(options.TaskQueue)()
	b.expect("words", result[[]string](b, run), []string{"seen"})
	return "within 3 s; its workflow goes on with the next worker"
}

// More events than a page holds, for a worker that has seen none of them.
func longHistory(b *bench) string {
	const long = 1200
	options := b.options()
	options.TaskQueue = b.newID()
	run := b.startWith(options, messages)
	sent := make(chan error, long)
	for range 20 {
		go func() {
			for range long / 20 {
				sent <- b.client.SignalWorkflow(b, run.GetID(), "", "add", ".")
			}
		}()
	}
	for range long {
		b.must("signal", <-sent)
	}
	text := strings.Repeat(".", long)
	stop := b.worker(options.TaskQueue)
	b.expect("text", b.query(run.GetID(), "", "text", ""), text)
	stop()
	defer b.worker(options.TaskQueue)()
	b.expect("text of the next worker", b.query(run.GetID(), "", "text", ""), text)
	b.signal(run, "end", nil)
	b.expect("words", len(result[[]string](b, run)), long)
	b.expect("signals in the history", len(b.events(run.GetID(), "", "Signaled")), long+1)
	return fmt.Sprintf("%d signals, taken at once", long)
}

// Results wait in long polls, many at a time.
func manyResults(b *bench) string {
	run := b.start(messages)
	ends := make(chan error, 20)
	for range cap(ends) {
		go func() { ends <- b.client.GetWorkflow(b, run.GetID(), "").Get(b, nil) }()
	}
	b.signal(run, "end", nil)
	for range cap(ends) {
		b.must("result", <-ends)
	}
	return "twenty waited for one run"
}
