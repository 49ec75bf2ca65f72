package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

var (
	size    = temporal.NewSearchAttributeKeyInt64("ParitySize")
	weight  = temporal.NewSearchAttributeKeyFloat64("ParityWeight")
	fresh   = temporal.NewSearchAttributeKeyBool("ParityFresh")
	whenKey = temporal.NewSearchAttributeKeyTime("ParityWhen")
	tags    = temporal.NewSearchAttributeKeyKeywordList("ParityTags")
	story   = temporal.NewSearchAttributeKeyString("ParityStory")
)

// told is what the server told of a run.
type told struct {
	Type, Queue, Memo, First, Parent          string
	Attempt, Retry                            int32
	Priority                                  int
	RunTimeout, ExecutionTimeout, TaskTimeout time.Duration
}

func tellsInfo(ctx workflow.Context) (told, error) {
	info := workflow.GetInfo(ctx)
	t := told{Type: info.WorkflowType.Name, Queue: info.TaskQueueName, First: info.FirstRunID, Attempt: info.Attempt,
		Priority: info.Priority.PriorityKey, RunTimeout: info.WorkflowRunTimeout,
		ExecutionTimeout: info.WorkflowExecutionTimeout, TaskTimeout: info.WorkflowTaskTimeout}
	if info.RetryPolicy != nil {
		t.Retry = info.RetryPolicy.MaximumAttempts
	}
	if info.ParentWorkflowExecution != nil {
		t.Parent = info.ParentWorkflowExecution.ID
	}
	if payload := info.Memo.GetFields()["kept"]; payload != nil {
		if err := dataConverter.FromPayload(payload, &t.Memo); err != nil {
			return t, err
		}
	}
	return t, nil
}

// counts returns the number of its runs; the third one fails, the fourth tells what it knows of the earlier ones.
func counts(ctx workflow.Context) (int, error) {
	last := 0
	if workflow.HasLastCompletionResult(ctx) {
		if err := workflow.GetLastCompletionResult(ctx, &last); err != nil {
			return 0, err
		}
	}
	if failure := workflow.GetLastError(ctx); failure != nil {
		seen := func() (string, error) { return fmt.Sprintf("%d, then %s", last, describeFailure(failure)), nil }
		if err := workflow.SetQueryHandler(ctx, "seen", seen); err != nil {
			return 0, err
		}
		return 0, workflow.Sleep(ctx, forever)
	}
	if last == 2 {
		return 0, temporal.NewNonRetryableApplicationError("no third", "Third", nil)
	}
	return last + 1, nil
}

// givenUp tells how an activity that needs more attempts ends under a policy that does not give them.
func givenUp(ctx workflow.Context, policy temporal.RetryPolicy, scheduleToClose time.Duration) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short,
		ScheduleToCloseTimeout: scheduleToClose, RetryPolicy: &policy})
	var failed *temporal.ActivityError
	if err := workflow.ExecuteActivity(ctx, succeedAt, 1000).Get(ctx, nil); !errors.As(err, &failed) {
		return "", fmt.Errorf("not an activity error: %w", err)
	}
	return failed.RetryState().String() + " " + describeFailure(failed.Unwrap()), nil
}

// hurryUp asks for its next attempt sooner than the policy would have it.
func hurryUp(ctx context.Context) (int32, error) {
	if attempt := activity.GetInfo(ctx).Attempt; attempt > 1 {
		return attempt, nil
	}
	return 0, temporal.NewApplicationErrorWithOptions("at once, please", "Hurry",
		temporal.ApplicationErrorOptions{NextRetryDelay: 10 * time.Millisecond})
}

func hurried(ctx workflow.Context) (int32, error) {
	ctx = workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: short,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: forever}})
	var attempt int32
	err := workflow.ExecuteActivity(ctx, hurryUp).Get(ctx, &attempt)
	return attempt, err
}

func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// timesOut tells the kind of timeout that an activity ends with when it hangs, or nobody takes it.
func timesOut(ctx workflow.Context, options workflow.ActivityOptions) (string, error) {
	ctx = workflow.WithActivityOptions(ctx, options)
	var timeout *temporal.TimeoutError
	if err := workflow.ExecuteActivity(ctx, hang).Get(ctx, nil); !errors.As(err, &timeout) {
		return "", fmt.Errorf("no timeout: %w", err)
	}
	return timeout.TimeoutType().String(), nil
}

// cancelsOther cancels what never ends of itself, and tells what came of it: an activity that nobody took, a child, a
// child before it started.
func cancelsOther(ctx workflow.Context, what, id string) (string, error) {
	scope, cancel := workflow.WithCancel(ctx)
	var running workflow.Future
	switch what {
	case "activity":
		scope = workflow.WithActivityOptions(scope, workflow.ActivityOptions{TaskQueue: id, StartToCloseTimeout: short,
			WaitForCancellation: true})
		running = workflow.ExecuteActivity(scope, hang)
		if err := workflow.Sleep(ctx, 50*time.Millisecond); err != nil {
			return "", err
		}
	default:
		scope = workflow.WithChildOptions(scope, workflow.ChildWorkflowOptions{WorkflowID: id, WaitForCancellation: true})
		child := workflow.ExecuteChildWorkflow(scope, cleansUp)
		running = child
		if what == "child" {
			if err := child.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
				return "", err
			}
		}
	}
	cancel()
	if err := running.Get(ctx, nil); !temporal.IsCanceledError(err) {
		return "", fmt.Errorf("not cancelled: %w", err)
	}
	return "cancelled", nil
}

// locals runs local activities: one that is retried, one that fails, one whose wait becomes a timer.
func locals(ctx workflow.Context) ([]string, error) {
	ctx = workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: short,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: 20 * time.Millisecond, BackoffCoefficient: 1}})
	var reached int
	if err := workflow.ExecuteLocalActivity(ctx, succeedAt, 3).Get(ctx, &reached); err != nil {
		return nil, err
	}
	failure := workflow.ExecuteLocalActivity(ctx, declineCard, "order-18").Get(ctx, nil)
	var application *temporal.ApplicationError
	if !errors.As(failure, &application) {
		return nil, fmt.Errorf("not an application error: %w", failure)
	}
	return []string{fmt.Sprint(reached), describeFailure(application)}, nil
}

// changes continues as another type, with another memo and timeout.
func changes(ctx workflow.Context) error {
	ctx = workflow.WithWorkflowRunTimeout(ctx, 90*time.Second)
	next := workflow.NewContinueAsNewErrorWithOptions(ctx, workflow.ContinueAsNewErrorOptions{}, tellsInfo)
	if err := workflow.UpsertMemo(ctx, map[string]any{"kept": "second"}); err != nil {
		return err
	}
	return next
}

// hasABug panics: its task fails, and it waits for better code.
func hasABug(workflow.Context) error { panic("a bug of the program") }

// leavesUpdate ends without its unfinished update.
func leavesUpdate(ctx workflow.Context) error {
	accepted := false
	never := func(ctx workflow.Context) error {
		accepted = true
		return workflow.Await(ctx, func() bool { return false })
	}
	options := workflow.UpdateHandlerOptions{UnfinishedPolicy: workflow.HandlerUnfinishedPolicyAbandon}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, "never", never, options); err != nil {
		return err
	}
	return workflow.Await(ctx, func() bool { return accepted })
}

// sideEffects leaves markers whose values only the history knows.
func sideEffects(ctx workflow.Context) ([]int64, error) {
	looks := []int64{}
	look := func(value int64, equal func(a, b any) bool) error {
		var kept int64
		err := workflow.MutableSideEffect(ctx, "limit", func(workflow.Context) any { return value }, equal).Get(&kept)
		looks = append(looks, kept)
		return err
	}
	var nanos int64
	if err := workflow.SideEffect(ctx, func(workflow.Context) any { return time.Now().UnixNano() }).Get(&nanos); err != nil {
		return nil, err
	}
	if err := workflow.SetQueryHandler(ctx, "nanos", func() (int64, error) { return nanos, nil }); err != nil {
		return nil, err
	}
	always := func(any, any) bool { return true }
	never := func(any, any) bool { return false }
	if err := errors.Join(look(7, never), look(8, always), look(9, never)); err != nil {
		return nil, err
	}
	return looks, workflow.Sleep(ctx, time.Millisecond)
}
