package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	short   = 20 * time.Second
	forever = time.Hour
)

var dataConverter = converter.GetDefaultDataConverter()

var colour = temporal.NewSearchAttributeKeyKeyword("ParityColour")

func registerAll(w interface{ RegisterWorkflow(any) }) {
	for _, definition := range []any{echo, retried, declined, heartbeats, cancelsActivity, answeredLater, timers, messages,
		fails, failsUntil, cleansUp, countdown, parent, leaver, tagged, caller, tellsInfo, counts, givenUp, hurried, timesOut,
		cancelsOther, locals, changes, hasABug, leavesUpdate, sideEffects, traced, echoBytes,
		GoDelivery, GoCaller} {
		w.RegisterWorkflow(definition)
	}
	if registry, is := w.(worker.ActivityRegistry); is { // A replayer knows no activities.
		for _, activity := range []any{echoActivity, succeedAt, declineCard, heartbeatThenHang, heartbeatUntilCancelled,
			answerLater, hurryUp, hang, tracedActivity} {
			registry.RegisterActivity(activity)
		}
	}
	if registry, is := w.(worker.NexusServiceRegistry); is {
		registerServices(registry, goDepot)
	}
}

// describeFailure tells type, message, details and retryability of a failure and of its causes.
func describeFailure(err error) string {
	var chain []string
	for ; err != nil; err = errors.Unwrap(err) {
		var application *temporal.ApplicationError
		if failure, is := err.(*temporal.ApplicationError); is {
			application = failure
		} else {
			chain = append(chain, fmt.Sprintf("%T", err))
			continue
		}
		var text string
		number := -1
		_ = application.Details(&text, &number) // Fewer details leave what is there.
		chain = append(chain, fmt.Sprintf("%s/%s/%s/%d/%t", application.Type(), application.Message(), text, number,
			application.NonRetryable()))
	}
	return strings.Join(chain, " <- ")
}

func activityOptions(ctx workflow.Context) workflow.Context {
	return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short})
}

func echo(_ workflow.Context, value string) (string, error) { return value, nil }

func retried(ctx workflow.Context, attempt int) (int, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, BackoffCoefficient: 1}})
	var reached int
	err := workflow.ExecuteActivity(ctx, succeedAt, attempt).Get(ctx, &reached)
	return reached, err
}

func declined(ctx workflow.Context, order string) (string, error) {
	err := workflow.ExecuteActivity(activityOptions(ctx), declineCard, order).Get(ctx, nil)
	var failed *temporal.ActivityError
	if !errors.As(err, &failed) {
		return "", fmt.Errorf("not an activity error: %w", err)
	}
	return failed.ActivityType().Name + ": " + describeFailure(failed.Unwrap()), nil
}

// heartbeats returns the first beat's detail, as seen by the timeout or by the next attempt.
func heartbeats(ctx workflow.Context, attempts int32) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short,
		HeartbeatTimeout: time.Second,
		RetryPolicy:      &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, MaximumAttempts: attempts}})
	var text string
	err := workflow.ExecuteActivity(ctx, heartbeatThenHang, "half").Get(ctx, &text)
	var timeout *temporal.TimeoutError
	if errors.As(err, &timeout) {
		var detail string
		err = timeout.LastHeartbeatDetails(&detail)
		text = timeout.TimeoutType().String() + " with " + detail
	}
	return text, err
}

func cancelsActivity(ctx workflow.Context) (string, error) {
	activityContext, cancel := workflow.WithCancel(workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
		StartToCloseTimeout: short, HeartbeatTimeout: time.Second, WaitForCancellation: true}))
	future := workflow.ExecuteActivity(activityContext, heartbeatUntilCancelled)
	workflow.GetSignalChannel(ctx, "begun").Receive(ctx, nil)
	cancel()
	var canceled *temporal.CanceledError
	if err := future.Get(ctx, nil); !errors.As(err, &canceled) {
		return "", fmt.Errorf("not cancelled: %w", err)
	}
	var detail string
	err := canceled.Details(&detail)
	return detail, err
}

func answeredLater(ctx workflow.Context) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short, ActivityID: "later",
		WaitForCancellation: true})
	var text string
	err := workflow.ExecuteActivity(ctx, answerLater).Get(ctx, &text)
	return text, err
}

func timers(ctx workflow.Context) (string, error) {
	begun := workflow.Now(ctx)
	long, cancel := workflow.WithCancel(ctx)
	future := workflow.NewTimer(long, forever)
	if err := workflow.Sleep(ctx, 200*time.Millisecond); err != nil {
		return "", err
	}
	cancel()
	if err := future.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("the long timer was not cancelled: %w", err)
	}
	if workflow.Now(ctx).Sub(begun) < 200*time.Millisecond {
		return "early", nil
	}
	return "late", nil
}

// messages takes signals, queries and updates until it is told to end.
func messages(ctx workflow.Context) ([]string, error) {
	words := []string{}
	ended := false
	text := func(separator string) (string, error) { return strings.Join(words, separator), nil }
	if err := workflow.SetQueryHandler(ctx, "text", text); err != nil {
		return nil, err
	}
	broken := func() (string, error) { return "", errors.New("this query always fails") }
	if err := workflow.SetQueryHandler(ctx, "broken", broken); err != nil {
		return nil, err
	}
	if err := setUpdates(ctx, &words); err != nil {
		return nil, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		for {
			var word string
			workflow.GetSignalChannel(ctx, "add").Receive(ctx, &word)
			words = append(words, word)
		}
	})
	workflow.Go(ctx, func(ctx workflow.Context) {
		workflow.GetSignalChannel(ctx, "end").Receive(ctx, nil)
		ended = true
	})
	err := workflow.Await(ctx, func() bool { return ended && workflow.AllHandlersFinished(ctx) })
	return words, err
}

func setUpdates(ctx workflow.Context, words *[]string) error {
	appendWord := func(_ workflow.Context, word string) (int, error) {
		*words = append(*words, word)
		return len(*words), nil
	}
	validate := func(word string) error {
		if word == "" {
			return temporal.NewApplicationError("an empty word", "EmptyWord")
		}
		return nil
	}
	options := workflow.UpdateHandlerOptions{Validator: validate}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "append", appendWord, options); err != nil {
		return err
	}
	appendEcho := func(ctx workflow.Context, word string) (string, error) {
		var echoed string
		err := workflow.ExecuteActivity(activityOptions(ctx), echoActivity, word).Get(ctx, &echoed)
		*words = append(*words, echoed)
		return echoed, err
	}
	if err := workflow.SetUpdateHandler(ctx, "append_echo", appendEcho); err != nil {
		return err
	}
	return workflow.SetUpdateHandler(ctx, "fail_later", func(ctx workflow.Context) error {
		if err := workflow.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
		return temporal.NewApplicationError("accepted, then failed", "TooLate")
	})
}

func fails(_ workflow.Context, message string) error {
	root := temporal.NewApplicationError("the root", "Root")
	return temporal.NewApplicationErrorWithOptions(message, "Broken", temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: root, Details: []any{"detail", 7}})
}

func failsUntil(ctx workflow.Context, attempt int32) (int32, error) {
	if now := workflow.GetInfo(ctx).Attempt; now < attempt {
		return 0, temporal.NewApplicationError("not yet", "NotYet")
	}
	return attempt, nil
}

// cleansUp waits for ever; when cancelled, it runs an activity first.
func cleansUp(ctx workflow.Context) error {
	err := workflow.Sleep(ctx, forever)
	if !temporal.IsCanceledError(err) {
		return err
	}
	shielded, _ := workflow.NewDisconnectedContext(ctx)
	if err := workflow.ExecuteActivity(activityOptions(shielded), echoActivity, "swept").Get(shielded, nil); err != nil {
		return err
	}
	return err
}

func countdown(ctx workflow.Context, left int, runs []string) ([]string, error) {
	runs = append(runs, workflow.GetInfo(ctx).WorkflowExecution.RunID)
	if left > 0 {
		return nil, workflow.NewContinueAsNewError(ctx, countdown, left-1, runs)
	}
	return runs, nil
}

func parent(ctx workflow.Context, childType, argument, childID string) (string, error) {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: childID})
	var text string
	err := workflow.ExecuteChildWorkflow(ctx, childType, argument).Get(ctx, &text)
	var taken *temporal.ChildWorkflowExecutionAlreadyStartedError
	if errors.As(err, &taken) {
		return "already started", nil
	}
	var failed *temporal.ChildWorkflowExecutionError
	if errors.As(err, &failed) {
		return describeFailure(failed.Unwrap()), nil
	}
	return text, err
}

// leaver starts a child that waits, and ends before it.
func leaver(ctx workflow.Context, policy enumspb.ParentClosePolicy, childID string) error {
	ctx = workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: childID, ParentClosePolicy: policy})
	return workflow.ExecuteChildWorkflow(ctx, cleansUp).GetChildWorkflowExecution().Get(ctx, nil)
}

// tagged upserts, and leaves markers of each kind for the replay.
func tagged(ctx workflow.Context, value string) (string, error) {
	if err := workflow.UpsertTypedSearchAttributes(ctx, colour.ValueSet(value)); err != nil {
		return "", err
	}
	if err := workflow.UpsertMemo(ctx, map[string]any{"step": "painted", "dropped": nil}); err != nil {
		return "", err
	}
	if workflow.GetVersion(ctx, "coats", workflow.DefaultVersion, 2) != 2 {
		return "", errors.New("not the newest version")
	}
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: short})
	var text string
	if err := workflow.ExecuteLocalActivity(local, echoActivity, "painted").Get(ctx, &text); err != nil {
		return "", err
	}
	var again string
	err := workflow.SideEffect(ctx, func(workflow.Context) any { return text }).Get(&again)
	return again, err
}

// caller signals and cancels another workflow, and signals one that is not there.
func caller(ctx workflow.Context, other string) (string, error) {
	if err := workflow.SignalExternalWorkflow(ctx, other, "", "add", "from outside").Get(ctx, nil); err != nil {
		return "", err
	}
	if err := workflow.RequestCancelExternalWorkflow(ctx, other, "").Get(ctx, nil); err != nil {
		return "", err
	}
	err := workflow.SignalExternalWorkflow(ctx, other+"-missing", "", "add", "lost").Get(ctx, nil)
	var missing *temporal.UnknownExternalWorkflowExecutionError
	if !errors.As(err, &missing) {
		return "", fmt.Errorf("expected an unknown execution: %w", err)
	}
	return missing.Error(), nil
}
