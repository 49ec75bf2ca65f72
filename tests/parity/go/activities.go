package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
)

func echoActivity(_ context.Context, value string) (string, error) { return value, nil }

func succeedAt(ctx context.Context, attempt int) (int, error) {
	now := int(activity.GetInfo(ctx).Attempt)
	if now < attempt {
		return 0, temporal.NewApplicationError(fmt.Sprintf("attempt %d of %d", now, attempt), "NotYet")
	}
	return now, nil
}

func declineCard(_ context.Context, order string) error {
	bank := temporal.NewApplicationError("the bank said no", "BankError", "code 51")
	return temporal.NewApplicationErrorWithOptions("card declined", "CardDeclined", temporal.ApplicationErrorOptions{
		NonRetryable: true, Cause: bank, Details: []any{order, 42}})
}

// heartbeatThenHang beats once and hangs; an attempt that finds an earlier beat returns it.
func heartbeatThenHang(ctx context.Context, detail string) (string, error) {
	if activity.HasHeartbeatDetails(ctx) {
		var found string
		err := activity.GetHeartbeatDetails(ctx, &found)
		return fmt.Sprintf("attempt %d found %s", activity.GetInfo(ctx).Attempt, found), err
	}
	activity.RecordHeartbeat(ctx, detail)
	<-ctx.Done()
	return "", ctx.Err()
}

// heartbeatUntilCancelled tells the workflow that it runs, then beats until the server says that
// it was cancelled.
func heartbeatUntilCancelled(ctx context.Context) error {
	execution := activity.GetInfo(ctx).WorkflowExecution
	if err := activity.GetClient(ctx).SignalWorkflow(ctx, execution.ID, execution.RunID, "begun", nil); err != nil {
		return err
	}
	for {
		activity.RecordHeartbeat(ctx, "beat")
		select {
		case <-ctx.Done():
			return temporal.NewCanceledError("cleaned up")
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// tokens are those of activities that somebody else completes, by their workflow's id.
var tokens sync.Map

func answerLater(ctx context.Context) (string, error) {
	info := activity.GetInfo(ctx)
	tokens.Store(info.WorkflowExecution.ID, info.TaskToken)
	return "", activity.ErrResultPending
}
