package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
)

// How runs start: options, policies for their ids, delays, retries, cron.
var startScenarios = []scenario{
	{"start_options", startOptions}, {"refused_starts", refusedStarts}, {"start_delay", startDelay},
	{"id_reuse_policies", idReusePolicies}, {"id_conflict_policies", idConflictPolicies},
	{"workflow_given_up", workflowGivenUp}, {"workflow_timeouts", workflowTimeouts}, {"cron", cron},
	{"eager_start", eagerStart}, {"signals_before_worker", signalsBeforeWorker},
}

func (b *bench) started(id, runID string) *historypb.WorkflowExecutionStartedEventAttributes {
	return b.history(id, runID)[0].GetWorkflowExecutionStartedEventAttributes()
}

func startOptions(b *bench) string {
	addAttributes(b)
	options := b.options()
	options.Memo = map[string]any{"kept": "yes"}
	options.StaticSummary, options.StaticDetails = "a summary", "some *details*"
	options.Priority = temporal.Priority{PriorityKey: 2}
	options.RetryPolicy = &temporal.RetryPolicy{MaximumAttempts: 3}
	options.WorkflowRunTimeout, options.WorkflowExecutionTimeout = 50*time.Second, 100*time.Second
	options.WorkflowTaskTimeout = 9 * time.Second
	when := time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC)
	options.TypedSearchAttributes = temporal.NewSearchAttributes(colour.ValueSet("red"), size.ValueSet(42),
		weight.ValueSet(1.5), fresh.ValueSet(true), whenKey.ValueSet(when), tags.ValueSet([]string{"a", "b"}),
		story.ValueSet("once upon a time"))
	run := b.startWith(options, tellsInfo)
	b.expect("what the workflow was told", result[told](b, run), told{Type: "tellsInfo", Queue: b.queue, Attempt: 1,
		Memo: "yes", RunTimeout: 50 * time.Second, ExecutionTimeout: 100 * time.Second, TaskTimeout: 9 * time.Second,
		Retry: 3, Priority: 2, First: run.GetRunID()})
	description, err := b.client.DescribeWorkflow(b, run.GetID(), "")
	b.must("describe", err)
	summary, err := description.GetStaticSummary()
	b.must("summary", err)
	details, err := description.GetStaticDetails()
	b.must("details", err)
	b.expect("summary and details", []string{summary, details}, []string{"a summary", "some *details*"})
	saw := description.TypedSearchAttributes.GetUntypedValues()
	for key, wanted := range options.TypedSearchAttributes.GetUntypedValues() {
		if value, is := saw[key].(time.Time); is {
			b.expect(key.GetName(), value.Equal(when), true)
		} else {
			b.expect(key.GetName(), saw[key], wanted)
		}
	}
	return "told to the workflow and to those who describe it"
}

func refusedStarts(b *bench) string {
	refused := func(what, text string, change func(*client.StartWorkflowOptions)) string {
		options := b.options()
		change(&options)
		_, err := b.client.ExecuteWorkflow(b, options, echo, "x")
		return failsAs[*serviceerror.InvalidArgument](b, what, text, err).Error()
	}
	refused("an unknown attribute", "ParityUnknown", func(o *client.StartWorkflowOptions) {
		o.TypedSearchAttributes = temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyInt64("ParityUnknown").ValueSet(1))
	})
	refused("a cron schedule that is none", "nvalid CronSchedule", func(o *client.StartWorkflowOptions) {
		o.CronSchedule = "whenever"
	})
	refused("a delay with a cron schedule", "CronSchedule and WorkflowStartDelay", func(o *client.StartWorkflowOptions) {
		o.CronSchedule, o.StartDelay = "@every 1h", time.Second
	})
	return refused("an id that is too long", "length", func(o *client.StartWorkflowOptions) {
		o.ID = strings.Repeat("x", 1001)
	})
}

// A delay holds up the first task, and no signal shortens it.
func startDelay(b *bench) string {
	options := b.options()
	options.StartDelay = 500 * time.Millisecond
	run := b.startWith(options, messages)
	b.signal(run, "end", nil)
	b.expect("words", result[[]string](b, run), []string{})
	events := b.history(run.GetID(), "")
	for _, event := range events {
		waited := event.EventTime.AsTime().Sub(events[0].EventTime.AsTime())
		if event.EventType == enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED && waited < options.StartDelay {
			b.fail("the first task came after %s", waited)
		}
	}
	b.expect("in the history", b.started(run.GetID(), "").FirstWorkflowTaskBackoff.AsDuration(), options.StartDelay)
	return "500 ms, a signal waits with it"
}

func idReusePolicies(b *bench) string {
	done := b.start(echo, "done")
	result[string](b, done)
	again := func(policy enumspb.WorkflowIdReusePolicy, workflow any, args ...any) (client.WorkflowRun, error) {
		options := b.options()
		options.ID, options.WorkflowIDReusePolicy = done.GetID(), policy
		return b.client.ExecuteWorkflow(b, options, workflow, args...)
	}
	_, err := again(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, echo, "x")
	failsAs[*serviceerror.WorkflowExecutionAlreadyStarted](b, "after a completed run", "", err)
	_, err = again(enumspb.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE, echo, "x")
	failsAs[*serviceerror.WorkflowExecutionAlreadyStarted](b, "never again", "", err)
	second, err := again(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE, fails, "second")
	b.must("the second", err)
	failsAs[*temporal.WorkflowExecutionError](b, "the second", "second", second.Get(b, nil))
	third, err := again(enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY, messages)
	b.must("the third", err)
	fourth, err := again(enumspb.WORKFLOW_ID_REUSE_POLICY_TERMINATE_IF_RUNNING, echo, "fourth")
	b.must("the fourth", err)
	b.expect("the fourth", result[string](b, fourth), "fourth")
	var statuses []string
	for _, run := range []client.WorkflowRun{done, second, third, fourth} {
		statuses = append(statuses, b.status(done.GetID(), run.GetRunID()))
	}
	b.expect("statuses", statuses, []string{"Completed", "Failed", "Terminated", "Completed"})
	return "four runs of one id, three refused or replaced"
}

func idConflictPolicies(b *bench) string {
	run := b.start(messages)
	again := func(policy enumspb.WorkflowIdConflictPolicy) (client.WorkflowRun, error) {
		options := b.options()
		options.ID, options.WorkflowIDConflictPolicy = run.GetID(), policy
		return b.client.ExecuteWorkflow(b, options, messages)
	}
	_, err := again(enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL)
	failsAs[*serviceerror.WorkflowExecutionAlreadyStarted](b, "fail", "", err)
	same, err := again(enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING)
	b.must("use existing", err)
	b.expect("the existing run", same.GetRunID(), run.GetRunID())
	other, err := again(enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING)
	b.must("terminate existing", err)
	b.expect("the first run", b.status(run.GetID(), run.GetRunID()), "Terminated")
	b.signal(other, "end", nil)
	b.expect("the new run", result[[]string](b, other), []string{})
	return "refused, the same, replaced"
}

func workflowGivenUp(b *bench) string {
	for _, policy := range []temporal.RetryPolicy{{MaximumAttempts: 2}, {NonRetryableErrorTypes: []string{"NotYet"}}} {
		options := b.options()
		policy.InitialInterval, policy.BackoffCoefficient = 20*time.Millisecond, 1
		options.RetryPolicy = &policy
		failsAs[*temporal.WorkflowExecutionError](b, "result", "not yet", b.startWith(options, failsUntil, int32(9)).Get(b, nil))
		last, err := b.client.DescribeWorkflowExecution(b, options.ID, "")
		b.must("describe", err)
		attempt := b.started(options.ID, last.WorkflowExecutionInfo.Execution.RunId).Attempt
		b.expect("attempts", attempt, max(policy.MaximumAttempts, 1))
	}
	return "out of attempts; not to be retried"
}

func workflowTimeouts(b *bench) string {
	run, execution, retried := b.options(), b.options(), b.options()
	run.WorkflowRunTimeout, retried.WorkflowRunTimeout = time.Second, time.Second
	execution.WorkflowExecutionTimeout = time.Second
	retried.RetryPolicy = &temporal.RetryPolicy{InitialInterval: 10 * time.Millisecond, MaximumAttempts: 2}
	for _, options := range []client.StartWorkflowOptions{run, execution, retried} {
		failsAs[*temporal.TimeoutError](b, "result", "", b.startWith(options, cleansUp).Get(b, nil))
		b.expect("status", b.status(options.ID, ""), "TimedOut")
	}
	return "a run's, an execution's, a retried run's"
}

// Runs follow each other; the later ones know the last result and the last failure.
func cron(b *bench) string {
	options := b.options()
	options.CronSchedule = "@every 1s"
	run := b.startWith(options, counts)
	first := run.GetRunID() // Waiting for the result moves it on.
	ended := make(chan error, 1)
	go func() { ended <- run.Get(b, nil) }()
	b.eventually("what the fourth run knows", "2, then Third/no third//-1/true", func() any {
		value, err := b.client.QueryWorkflow(b, run.GetID(), "", "seen")
		var seen string
		if err == nil {
			b.must("seen", value.Get(&seen))
		}
		return seen // The earlier runs have no such query.
	})
	description, err := b.client.DescribeWorkflowExecution(b, run.GetID(), "")
	b.must("describe", err)
	b.must("terminate", b.client.TerminateWorkflow(b, run.GetID(), "", "seen enough"))
	failsAs[*temporal.TerminatedError](b, "the chain's result", "", <-ended)
	last := b.started(run.GetID(), description.WorkflowExecutionInfo.Execution.RunId)
	b.expect("chain", []string{last.FirstExecutionRunId, last.CronSchedule, last.Initiator.String()},
		[]string{first, "@every 1s", "CronSchedule"})
	b.expect("first run", b.status(run.GetID(), first), "Completed")
	return "four runs: two results, a failure, and one that knows of them"
}

// A worker of the same client gets the first task with the start's answer.
func eagerStart(b *bench) string {
	options := b.options()
	options.EnableEagerStart = true
	run := b.startWith(options, echo, "eager")
	b.expect("result", result[string](b, run), "eager")
	b.expect("accepted", b.started(run.GetID(), "").EagerExecutionAccepted, true)
	return "the first task came with the answer"
}

// What is sent before there is a worker, is there when it comes.
func signalsBeforeWorker(b *bench) string {
	options := b.options()
	options.TaskQueue = b.newID()
	run := b.startWith(options, messages)
	words := []string{"one", "two", "three"}
	for _, word := range words {
		b.signal(run, "add", word)
	}
	b.signal(run, "end", nil)
	defer b.worker(options.TaskQueue)()
	saw := result[[]string](b, run)
	if !reflect.DeepEqual(saw, words) {
		b.fail("words: expected %v, saw %v", words, saw)
	}
	b.expect("tasks", len(b.events(run.GetID(), "", "WorkflowTaskScheduled")), 1)
	return fmt.Sprintf("%d signals, one task", len(words)+1)
}
