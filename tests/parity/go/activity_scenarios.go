package main

import (
	"fmt"
	"time"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/temporal"
)

// Activities, timers, workflow and child failures.
var activityScenarios = []scenario{
	{"activity_retry", activityRetry}, {"activity_failure", activityFailure}, {"heartbeat_timeout", heartbeatTimeout},
	{"heartbeat_next_attempt", heartbeatNextAttempt}, {"activity_cancel", activityCancel},
	{"activity_answered_by_client", answeredByClient}, {"timer", timer}, {"workflow_failure", workflowFailure},
	{"workflow_retry", workflowRetry}, {"child_workflow", childWorkflow}, {"child_failure", childFailure},
	{"child_id_taken", childIDTaken},
}

const brokenFailure = "Broken/%s/detail/7/true <- Root/the root//-1/false"

func activityRetry(b *bench) string {
	run := b.start(retried, 3)
	b.expect("result", result[int](b, run), 3)
	var started []*historypb.ActivityTaskStartedEventAttributes
	for _, event := range b.history(run.GetID(), run.GetRunID()) {
		if attributes := event.GetActivityTaskStartedEventAttributes(); attributes != nil {
			started = append(started, attributes)
		}
	}
	b.expect("started events", len(started), 1) // The attempts before the last one leave no event.
	b.expect("attempt in history", started[0].Attempt, int32(3))
	b.expect("last failure", started[0].LastFailure.GetMessage(), "attempt 2 of 3")
	b.expect("last failure's type", started[0].LastFailure.GetApplicationFailureInfo().GetType(), "NotYet")
	return fmt.Sprintf("attempt %d, after %q", started[0].Attempt, started[0].LastFailure.Message)
}

func activityFailure(b *bench) string {
	saw := result[string](b, b.start(declined, "order-17"))
	b.expect("failure", saw,
		"declineCard: CardDeclined/card declined/order-17/42/true <- BankError/the bank said no/code 51/-1/false")
	return saw
}

func heartbeatTimeout(b *bench) string {
	saw := result[string](b, b.start(heartbeats, int32(1)))
	b.expect("timeout", saw, "Heartbeat with half")
	return saw
}

func heartbeatNextAttempt(b *bench) string {
	saw := result[string](b, b.start(heartbeats, int32(2)))
	b.expect("details in the next attempt", saw, "attempt 2 found half")
	return saw
}

func activityCancel(b *bench) string {
	run := b.start(cancelsActivity)
	b.expect("details", result[string](b, run), "cleaned up")
	b.expect("cancel requests", b.events(run.GetID(), "", "ActivityTaskCancelRequested"),
		[]string{"ActivityTaskCancelRequested"})
	b.expect("end", b.events(run.GetID(), "", "ActivityTaskCanceled"), []string{"ActivityTaskCanceled"})
	return "requested, heard at a heartbeat, canceled with details"
}

func answeredByClient(b *bench) string {
	run := b.start(answeredLater)
	b.eventually("attempt", int32(1), func() any {
		description, err := b.client.DescribeWorkflowExecution(b, run.GetID(), "")
		b.must("describe", err)
		if len(description.PendingActivities) == 1 && description.PendingActivities[0].LastStartedTime != nil {
			return description.PendingActivities[0].Attempt
		}
		return int32(0)
	})
	b.must("complete", b.client.CompleteActivityByID(b, "default", run.GetID(), run.GetRunID(), "later", "by id", nil))
	b.expect("result", result[string](b, run), "by id")
	return "completed by id"
}

func timer(b *bench) string {
	run := b.start(timers)
	b.expect("time passed", result[string](b, run), "late")
	times := map[string]time.Time{}
	for _, event := range b.history(run.GetID(), "") {
		switch started := event.GetTimerStartedEventAttributes(); {
		case started != nil && started.StartToFireTimeout.AsDuration() < time.Second:
			times["started"] = event.EventTime.AsTime()
		case event.GetTimerFiredEventAttributes() != nil:
			times["fired"] = event.EventTime.AsTime()
		}
	}
	b.expect("timer events", b.events(run.GetID(), "", "Timer"),
		[]string{"TimerStarted", "TimerStarted", "TimerFired", "TimerCanceled"})
	if took := times["fired"].Sub(times["started"]); took < 200*time.Millisecond || took > 5*time.Second {
		b.fail("a timer of 200 ms fired after %s", took)
	}
	return "200 ms, never early; the other one canceled"
}

func workflowFailure(b *bench) string {
	run := b.start(fails, "broken on purpose")
	failure := failsAs[*temporal.WorkflowExecutionError](b, "result", "broken on purpose", run.Get(b, nil))
	saw := describeFailure(failure.Unwrap())
	b.expect("failure", saw, fmt.Sprintf(brokenFailure, "broken on purpose"))
	b.expect("status", b.status(run.GetID(), ""), "Failed")
	return saw
}

func workflowRetry(b *bench) string {
	options := b.options()
	options.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, BackoffCoefficient: 1,
		MaximumAttempts: 3}
	run := b.startWith(options, failsUntil, int32(3))
	first := run.GetRunID()
	b.expect("result", result[int](b, run), 3)
	last, err := b.client.DescribeWorkflowExecution(b, run.GetID(), "")
	b.must("describe", err)
	b.expect("status of the first attempt", b.status(run.GetID(), first), "Failed")
	b.expect("status of the last attempt", last.WorkflowExecutionInfo.Status.String(), "Completed")
	if last.WorkflowExecutionInfo.Execution.RunId == first {
		b.fail("attempt 3 ran as attempt 1's run %s", first)
	}
	return "attempt 3, in a run of its own"
}

func childWorkflow(b *bench) string {
	child := b.newID()
	run := b.start(parent, "echo", "hello", child)
	b.expect("result", result[string](b, run), "hello")
	description, err := b.client.DescribeWorkflowExecution(b, child, "")
	b.must("describe the child", err)
	b.expect("parent", description.WorkflowExecutionInfo.ParentExecution.GetWorkflowId(), run.GetID())
	b.expect("events", b.events(run.GetID(), "", "Child"), []string{"StartChildWorkflowExecutionInitiated",
		"ChildWorkflowExecutionStarted", "ChildWorkflowExecutionCompleted"})
	return "completed, and knows its parent"
}

func childFailure(b *bench) string {
	saw := result[string](b, b.start(parent, "fails", "child broke", b.newID()))
	b.expect("failure", saw, fmt.Sprintf(brokenFailure, "child broke"))
	return saw
}

// A child under the id of a running workflow never starts.
func childIDTaken(b *bench) string {
	taken := b.start(messages)
	run := b.start(parent, "echo", "hello", taken.GetID())
	b.expect("result", result[string](b, run), "already started")
	b.expect("events", b.events(run.GetID(), "", "Child"),
		[]string{"StartChildWorkflowExecutionInitiated", "StartChildWorkflowExecutionFailed"})
	return "refused, and the parent was told"
}
