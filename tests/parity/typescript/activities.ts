// The activities of all scenarios. Nothing here leaves this process but what the SDK sends.
import { CancelledFailure, CompleteAsyncError, Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';

// Task tokens of activities that somebody else completes, by their workflow's id.
export const tokens = new Map<string, Uint8Array>();

export async function echoActivity(value: string): Promise<string> {
  return value;
}

export async function succeedAt(attempt: number): Promise<number> {
  const now = Context.current().info.attempt;
  if (now < attempt) throw ApplicationFailure.retryable(`attempt ${now} of ${attempt}`, 'NotYet');
  return now;
}

export async function declineCard(order: string): Promise<void> {
  const bank = ApplicationFailure.retryable('the bank said no', 'BankError', 'code 51');
  throw ApplicationFailure.create({
    message: 'card declined',
    type: 'CardDeclined',
    nonRetryable: true,
    details: [order, 42],
    cause: bank,
  });
}

// Asks for its next attempt sooner than the policy would have it.
export async function hurryUp(): Promise<number> {
  const { attempt } = Context.current().info;
  if (attempt > 1) return attempt;
  throw ApplicationFailure.create({ message: 'at once, please', type: 'Hurry', nextRetryDelay: '10ms' });
}

// Beats once and hangs; an attempt that finds an earlier beat returns it.
export async function heartbeatThenHang(detail: string): Promise<string> {
  const { heartbeatDetails, attempt } = Context.current().info;
  if (heartbeatDetails !== undefined) return `attempt ${attempt} found ${heartbeatDetails}`;
  Context.current().heartbeat(detail);
  return Context.current().cancelled;
}

export async function hang(): Promise<string> {
  return Context.current().cancelled;
}

// Tells the workflow that it runs, then beats until the server says that it was cancelled.
export async function heartbeatUntilCancelled(): Promise<void> {
  const context = Context.current();
  const { workflowId, runId } = context.info.workflowExecution!;
  await context.client.workflow.getHandle(workflowId, runId).signal('begun');
  try {
    for (;;) {
      context.heartbeat('beat');
      await context.sleep(50);
    }
  } catch {
    throw new CancelledFailure('stopped', ['cleaned up']);
  }
}

export async function answerLater(): Promise<string> {
  const { taskToken, workflowExecution } = Context.current().info;
  tokens.set(workflowExecution!.workflowId, taskToken);
  throw new CompleteAsyncError();
}

// What the server told the worker of this task.
export async function tellInfo(): Promise<Record<string, unknown>> {
  const { info } = Context.current();
  return {
    activityId: info.activityId,
    activityType: info.activityType,
    attempt: info.attempt,
    isLocal: info.isLocal,
    workflowType: info.workflowType,
    taskQueue: info.taskQueue,
    namespace: info.namespace,
    startToCloseMs: info.startToCloseTimeoutMs,
    heartbeatMs: info.heartbeatTimeoutMs,
    priorityKey: info.priority?.priorityKey,
  };
}
