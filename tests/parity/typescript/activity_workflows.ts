import {
  ActivityCancellationType,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  defineSignal,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  TimeoutFailure,
  type ActivityOptions,
  type LocalActivityOptions,
} from '@temporalio/workflow';
import type * as activities from './activities';
import { activityFailure, describeFailure } from './workflow_parts';

const ANSWERED = { activityId: 'later', cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED };
const SOON = { initialInterval: '20ms', backoffCoefficient: 1 };

function act(options: ActivityOptions) {
  return proxyActivities<typeof activities>({ startToCloseTimeout: '20s', ...options });
}

function actLocally(options: LocalActivityOptions) {
  return proxyLocalActivities<typeof activities>({ startToCloseTimeout: '20s', ...options });
}

export async function retried(attempt: number): Promise<number> {
  return await act({ retry: SOON }).succeedAt(attempt);
}

// How an activity that needs more attempts ends under a policy that does not give them.
export async function givenUp(
  retry: ActivityOptions['retry'],
  scheduleToClose?: string,
): Promise<(string | undefined)[]> {
  const options = { retry: { ...SOON, ...retry }, scheduleToCloseTimeout: scheduleToClose as '1s' };
  const failure = await activityFailure(act(options).succeedAt(1000));
  return [failure.retryState, describeFailure(failure.cause)];
}

export async function hurried(): Promise<number> {
  return await act({ retry: { initialInterval: '1 hour' } }).hurryUp();
}

export async function declined(order: string): Promise<string> {
  const failure = await activityFailure(act({}).declineCard(order));
  return `${failure.activityType} ${failure.retryState}: ${describeFailure(failure.cause)}`;
}

// The first beat's detail, as seen by the timeout or by the next attempt.
export async function heartbeats(attempts: number): Promise<string> {
  const options = { heartbeatTimeout: '3s', retry: { ...SOON, maximumAttempts: attempts } } as const;
  try {
    return await act(options).heartbeatThenHang('half');
  } catch (failure) {
    const timeout = (failure as Error).cause as TimeoutFailure;
    return `${timeout.timeoutType} with ${timeout.lastHeartbeatDetails}`;
  }
}

// The kinds of timeout that an activity ends with when it hangs, or nobody takes it.
export async function timesOut(options: ActivityOptions): Promise<(string | undefined)[]> {
  const hanging = proxyActivities<typeof activities>({ retry: { maximumAttempts: 1 }, ...options }).hang();
  const failure = await activityFailure(hanging);
  const types: (string | undefined)[] = [failure.retryState];
  for (let at = failure.cause; at instanceof TimeoutFailure; at = at.cause as Error) types.push(at.timeoutType);
  return types;
}

export async function cancelsActivity(cancellationType: ActivityCancellationType): Promise<string> {
  let begun = false;
  setHandler(defineSignal('begun'), () => void (begun = true));
  const scope = new CancellationScope();
  const options = { cancellationType, heartbeatTimeout: '10s' } as const;
  const running = scope.run(() => act(options).heartbeatUntilCancelled());
  await Promise.race([condition(() => begun), running]);
  scope.cancel();
  const failure = await activityFailure(running);
  if (!(failure.cause instanceof CancelledFailure)) throw failure;
  return String(failure.cause.details ?? '');
}

// Cancels an activity that no worker has taken yet.
export async function cancelsEarly(nobodysQueue: string): Promise<string> {
  const scope = new CancellationScope();
  const options = { taskQueue: nobodysQueue, cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED };
  const waiting = scope.run(() => act(options).hang());
  await condition(() => false, '50ms');
  scope.cancel();
  return (await activityFailure(waiting)).cause!.name;
}

export async function answeredLater(): Promise<string> {
  try {
    return await act({ ...ANSWERED, retry: { maximumAttempts: 1 }, heartbeatTimeout: '10s' }).answerLater();
  } catch (failure) {
    if ((failure as Error).cause instanceof CancelledFailure) throw failure;
    return describeFailure((failure as Error).cause);
  }
}

// Cancels such an activity when it is told to, and returns the details of its cancellation.
export async function cancelsLater(): Promise<string> {
  let ended = false;
  setHandler(defineSignal('end'), () => void (ended = true));
  const scope = new CancellationScope();
  const running = scope.run(() => act(ANSWERED).answerLater());
  await condition(() => ended);
  scope.cancel();
  return String(((await activityFailure(running)).cause as CancelledFailure).details);
}

export async function informed(): Promise<Record<string, unknown>> {
  return await act({
    activityId: 'told',
    heartbeatTimeout: '17s',
    priority: { priorityKey: 2 },
    summary: 'asks itself',
  }).tellInfo();
}

export async function locals(): Promise<Record<string, unknown>> {
  const retries = { retry: SOON };
  return {
    echoed: await actLocally({ summary: 'near by' }).echoActivity('near'),
    reached: await actLocally(retries).succeedAt(3),
    failure: await actLocally({}).declineCard('order-18').catch(describeFailure),
    isLocal: (await actLocally({}).tellInfo()).isLocal,
  };
}

// A wait that is too long for the workflow task becomes a timer.
export async function localWithTimer(): Promise<number> {
  const retry = { initialInterval: '300ms', backoffCoefficient: 1 };
  return await actLocally({ retry, localRetryThreshold: '100ms' }).succeedAt(2);
}

export async function localCancelled(): Promise<string> {
  try {
    await CancellationScope.withTimeout('100ms', () => actLocally({}).hang());
  } catch (failure) {
    if (failure instanceof CancelledFailure) return 'cancelled';
    return ((failure as Error).cause as Error).name;
  }
  throw ApplicationFailure.nonRetryable('nothing was cancelled');
}
