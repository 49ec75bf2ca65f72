import {
  CancellationScope,
  ChildWorkflowCancellationType,
  ChildWorkflowFailure,
  executeChild,
  ParentClosePolicy,
  condition,
  defineSignal,
  isCancellation,
  setHandler,
  startChild,
  type ChildWorkflowOptions,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { FOREVER, describeFailure } from './workflow_parts';

// Runs a child and returns what it gave, or how it failed.
export async function parent(type: string, args: unknown[], options: ChildWorkflowOptions): Promise<unknown> {
  try {
    return await executeChild(type, { ...options, args });
  } catch (failure) {
    if (failure instanceof WorkflowExecutionAlreadyStartedError) return 'already started';
    if (!(failure instanceof ChildWorkflowFailure)) throw failure;
    return `${failure.retryState}: ${describeFailure(failure.cause)}`;
  }
}

// Starts a child that waits, and ends before it.
export async function leaver(parentClosePolicy: ParentClosePolicy, workflowId: string): Promise<void> {
  await startChild('cleansUp', { workflowId, parentClosePolicy });
}

// Signals its child, which gives back what it heard.
export async function signalsChild(workflowId: string): Promise<string[]> {
  const child = await startChild('messages', { workflowId });
  await child.signal('add', 'from the parent');
  await child.signal('end');
  return (await child.result()) as string[];
}

// Cancels a running child; how it learns of that is the type's affair.
export async function cancelsChild(
  cancellationType: ChildWorkflowCancellationType,
  workflowId: string,
): Promise<string> {
  let ended = false;
  setHandler(defineSignal('end'), () => void (ended = true));
  const scope = new CancellationScope();
  const child = await scope.run(() =>
    startChild('cleansUp', { workflowId, cancellationType, parentClosePolicy: ParentClosePolicy.ABANDON }),
  );
  scope.cancel();
  try {
    await child.result();
    return 'completed';
  } catch (failure) {
    await condition(() => ended); // A request to cancel is not sent by a closed workflow.
    return describeFailure(failure);
  }
}

// Cancels a child in the task that starts it: the server never hears of it.
export async function cancelsChildEarly(workflowId: string): Promise<string> {
  const scope = new CancellationScope();
  const starting = scope.run(() => startChild('cleansUp', { workflowId }));
  scope.cancel();
  try {
    await starting;
    return 'started';
  } catch (failure) {
    return isCancellation(failure) ? 'cancelled before it started' : (failure as Error).name;
  }
}

// Waits for ever beside a child that does so too.
export async function watches(workflowId: string): Promise<string> {
  return (await parent('sleeps', [FOREVER], { workflowId })) as string;
}

export async function sleeps(time: string): Promise<void> {
  await condition(() => false, time as '1s');
}
