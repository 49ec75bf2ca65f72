// Activities: retries, failures, timeouts, heartbeats, cancellation, completion by others, local ones.
import { ActivityCancelledError, ActivityNotFoundError, WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { tokens } from './activities';
import type { Bench, Scenario } from './judge';

async function activityRetry(b: Bench): Promise<string> {
  const run = await b.start('retried', [3]);
  b.expect('result', await run.result(), 3);
  const started = (await b.history(run.workflowId)).flatMap((e) => e.activityTaskStartedEventAttributes ?? []);
  b.expect('started events', started.length, 1); // The attempts before the last one leave no event.
  b.expect(
    'attempt and last failure',
    [started[0].attempt, started[0].lastFailure?.message, started[0].lastFailure?.applicationFailureInfo?.type],
    [3, 'attempt 2 of 3', 'NotYet'],
  );
  return `attempt 3, after ${started[0].lastFailure?.message}`;
}

async function activityGivenUp(b: Bench): Promise<string> {
  const cases: [string, object, string | null, string[]][] = [
    ['attempts', { maximumAttempts: 2 }, null, ['MAXIMUM_ATTEMPTS_REACHED', 'NotYet/attempt 2 of 1000/false']],
    ['type', { nonRetryableErrorTypes: ['NotYet'] }, null, ['NON_RETRYABLE_FAILURE', 'NotYet/attempt 1 of 1000/false']],
    ['time', { initialInterval: '20s' }, '10s', ['TIMEOUT', 'NotYet/attempt 1 of 1000/false']],
  ];
  for (const [what, retry, time, wanted] of cases) {
    b.expect(what, await (await b.start('givenUp', [retry, time])).result(), wanted);
  }
  return 'out of attempts, not to be retried, out of time';
}

async function nextRetryDelay(b: Bench): Promise<string> {
  b.expect('attempt', await (await b.start('hurried')).result(), 2);
  return "its own delay, not the policy's hour";
}

async function activityFailure(b: Bench): Promise<string> {
  const saw = await (await b.start('declined', ['order-17'])).result();
  b.expect(
    'failure',
    saw,
    'declineCard NON_RETRYABLE_FAILURE: ' +
      'CardDeclined/card declined/order-17/42/true <- BankError/the bank said no/code 51/false',
  );
  return saw;
}

async function heartbeats(b: Bench): Promise<string> {
  b.expect('timeout', await (await b.start('heartbeats', [1])).result(), 'HEARTBEAT with half');
  b.expect('next attempt', await (await b.start('heartbeats', [2])).result(), 'attempt 2 found half');
  return 'the last details are in the timeout, and in the next attempt';
}

async function activityTimeouts(b: Bench): Promise<string> {
  const cases: [string, object][] = [
    ['START_TO_CLOSE', { startToCloseTimeout: '300ms' }],
    ['SCHEDULE_TO_START', { startToCloseTimeout: '20s', scheduleToStartTimeout: '300ms', taskQueue: b.newId() }],
    ['SCHEDULE_TO_CLOSE', { startToCloseTimeout: '20s', scheduleToCloseTimeout: '300ms' }],
  ];
  const seen: unknown[] = [];
  for (const [type, options] of cases) {
    const [state, saw] = (await (await b.start('timesOut', [options])).result()) as string[];
    b.expect(type, saw, type);
    seen.push(`${type} ${state}`);
  }
  // With retries, the time for all attempts ends with the attempt that leaves none for another.
  const all = await (
    await b.start('timesOut', [
      { startToCloseTimeout: '300ms', scheduleToCloseTimeout: '2s', retry: { initialInterval: '3s' } },
    ])
  ).result();
  b.expect('all attempts', all, ['TIMEOUT', 'SCHEDULE_TO_CLOSE']);
  return `${seen.join(', ')}; retried: ${all}`;
}

async function activityCancel(b: Bench): Promise<string> {
  const cases: [string, string, string[]][] = [
    ['WAIT_CANCELLATION_COMPLETED', 'cleaned up', ['ActivityTaskCancelRequested', 'ActivityTaskCanceled']],
    ['TRY_CANCEL', '', ['ActivityTaskCancelRequested']],
    ['ABANDON', '', []],
  ];
  for (const [type, details, events] of cases) {
    const run = await b.start('cancelsActivity', [type]);
    b.expect(`${type}: details`, await run.result(), details);
    b.expect(`${type}: events`, await b.events(run, 'Cancel'), events);
  }
  const early = await b.start('cancelsEarly', [b.newId()]);
  b.expect('nobody took it', await early.result(), 'CancelledFailure');
  b.expect('nobody took it', await b.events(early, 'ActivityTaskStarted', 'Cancel'), [
    'ActivityTaskCancelRequested',
    'ActivityTaskCanceled',
  ]);
  return 'waited for, tried, abandoned, before its start';
}

// Waits until the activity has told its token, and the server shows it as started.
async function answerable(b: Bench, type: string): Promise<{ id: string; result: Promise<unknown> }> {
  const run = await b.start(type);
  await b.eventually('started', true, async () => {
    const { raw } = await run.describe();
    return tokens.has(run.workflowId) && raw.pendingActivities?.[0]?.lastStartedTime != null;
  });
  const result = run.result();
  result.catch(() => undefined);
  return { id: run.workflowId, result };
}

async function completedByToken(b: Bench): Promise<string> {
  const { activity } = b.client;
  const done = await answerable(b, 'answeredLater');
  await activity.heartbeat(tokens.get(done.id)!, 'on its way');
  await activity.complete(tokens.get(done.id)!, 'by token');
  b.expect('completed', await done.result, 'by token');
  const broken = await answerable(b, 'answeredLater');
  const cause = ApplicationFailure.retryable('the reason', 'Reason');
  await activity.fail(
    tokens.get(broken.id)!,
    ApplicationFailure.create({ message: 'no answer', type: 'Silence', details: [1], cause }),
  );
  b.expect('failed', await broken.result, 'Silence/no answer/1/false <- Reason/the reason/false');
  await b.failsAs('once more', ActivityNotFoundError, '', activity.complete(tokens.get(done.id)!, 'late'));
  return 'completed, failed with a cause, not twice';
}

async function completedById(b: Bench): Promise<string> {
  const { activity } = b.client;
  const done = await answerable(b, 'answeredLater');
  const ids = { workflowId: done.id, activityId: 'later' };
  await activity.heartbeat(ids, 'on its way');
  await activity.complete(ids, 'by id');
  b.expect('completed', await done.result, 'by id');
  const broken = await answerable(b, 'answeredLater');
  await activity.fail(
    { workflowId: broken.id, activityId: 'later' },
    ApplicationFailure.retryable('no answer', 'Silence'),
  );
  b.expect('failed', await broken.result, 'Silence/no answer/false');
  await b.failsAs('once more', ActivityNotFoundError, '', activity.complete(ids, 'late'));
  await b.failsAs(
    'unknown',
    ActivityNotFoundError,
    '',
    activity.complete({ workflowId: b.newId(), activityId: 'none' }, 'lost'),
  );
  return 'completed, failed, not twice, not an unknown one';
}

async function cancelledByOthers(b: Bench): Promise<string> {
  const { activity } = b.client;
  const run = await answerable(b, 'cancelsLater');
  const ids = { workflowId: run.id, activityId: 'later' };
  await activity.heartbeat(ids, 'still running');
  await b.run(run.id).signal('end');
  await b.eventually('heartbeat', 'ActivityCancelledError', async () => {
    try {
      await activity.heartbeat(ids, 'still running');
      return 'taken';
    } catch (failure) {
      return failure instanceof ActivityCancelledError ? 'ActivityCancelledError' : String(failure);
    }
  });
  await activity.reportCancellation(tokens.get(run.id)!, 'put away');
  b.expect('details', await run.result, 'put away');
  // A workflow's own cancellation reaches the activity that it waits for.
  const whole = await answerable(b, 'answeredLater');
  await b.run(whole.id).cancel();
  await b.eventually(
    'cancel request',
    true,
    async () => (await b.events(b.run(whole.id), 'ActivityTaskCancelRequested')).length === 1,
  );
  await activity.reportCancellation({ workflowId: whole.id, activityId: 'later' }, 'put away');
  const failure = await b.failsAs('result', WorkflowFailedError, '', whole.result);
  if (!(failure.cause instanceof CancelledFailure)) b.fail(`ended with ${failure.cause}`);
  return 'heard at a heartbeat, reported with details';
}

async function activityInfo(b: Bench): Promise<string> {
  const run = await b.start('informed');
  b.expect('info', await run.result(), {
    activityId: 'told',
    activityType: 'tellInfo',
    attempt: 1,
    isLocal: false,
    workflowType: 'informed',
    taskQueue: b.queue,
    namespace: 'default',
    startToCloseMs: 20000,
    heartbeatMs: 17000,
    priorityKey: 2,
  });
  const scheduled = (await b.history(run.workflowId)).find((e) => e.activityTaskScheduledEventAttributes);
  b.expect('summary', String(Buffer.from(scheduled?.userMetadata?.summary?.data ?? [])), '"asks itself"');
  return 'id, times and priority arrived; the summary is in the history';
}

async function localActivities(b: Bench): Promise<string> {
  const run = await b.start('locals');
  b.expect('results', await run.result(), {
    echoed: 'near',
    reached: 3,
    isLocal: true,
    failure: 'CardDeclined/card declined/order-18/42/true <- BankError/the bank said no/code 51/false',
  });
  b.expect('events', await b.events(run, 'Activity', 'Marker'), Array(4).fill('MarkerRecorded'));
  const timed = await b.start('localWithTimer');
  b.expect('long wait', await timed.result(), 2);
  b.expect('its events', await b.events(timed, 'Timer', 'Marker'), [
    'MarkerRecorded',
    'TimerStarted',
    'TimerFired',
    'MarkerRecorded',
  ]);
  b.expect('cancelled', await (await b.start('localCancelled')).result(), 'CancelledFailure');
  return 'result, retry, failure, a timer for a long wait, cancelled';
}

// Activities on a queue of their own, with a worker that runs no workflows.
async function otherQueue(b: Bench): Promise<string> {
  const queue = b.newId();
  const run = await b.start('timesOut', [{ taskQueue: queue, startToCloseTimeout: '200ms' }]);
  return await b.withWorker(queue, { workflowBundle: undefined }, async () => {
    b.expect('result', await run.result(), ['MAXIMUM_ATTEMPTS_REACHED', 'START_TO_CLOSE']);
    return 'taken by the worker of its queue';
  });
}

export const activityScenarios: Record<string, Scenario> = {
  activity_retry: activityRetry,
  activity_given_up: activityGivenUp,
  next_retry_delay: nextRetryDelay,
  activity_failure: activityFailure,
  heartbeats,
  activity_timeouts: activityTimeouts,
  activity_cancel: activityCancel,
  activity_completed_by_token: completedByToken,
  activity_completed_by_id: completedById,
  activity_cancelled_by_others: cancelledByOthers,
  activity_info: activityInfo,
  local_activities: localActivities,
  activity_on_other_queue: otherQueue,
};
