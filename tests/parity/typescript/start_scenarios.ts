// How runs start: options, policies for their ids, delays, retries, cron.
import { status as grpc } from '@grpc/grpc-js';
import {
  Client,
  WorkflowContinuedAsNewError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import { ApplicationFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { eventMs, type Bench, type Scenario } from './judge';
import { addAttributes, ATTRIBUTES } from './attributes';

async function startOptions(b: Bench): Promise<string> {
  await addAttributes(b);
  const when = new Date('2026-02-03T04:05:06.789Z');
  const typedSearchAttributes = [
    { key: ATTRIBUTES.colour, value: 'red' },
    { key: ATTRIBUTES.size, value: 42 },
    { key: ATTRIBUTES.weight, value: 1.5 },
    { key: ATTRIBUTES.fresh, value: true },
    { key: ATTRIBUTES.when, value: when },
    { key: ATTRIBUTES.tags, value: ['a', 'b'] },
    { key: ATTRIBUTES.story, value: 'once upon a time' },
  ];
  const run = await b.start('tellsInfo', [], {
    memo: { kept: { nested: [1] } },
    typedSearchAttributes,
    staticSummary: 'a summary',
    staticDetails: 'some *details*',
    priority: { priorityKey: 2 },
    retry: { maximumAttempts: 3 },
    workflowRunTimeout: '50s',
    workflowExecutionTimeout: '100s',
    workflowTaskTimeout: '9s',
  });
  b.expect('what the workflow was told', await run.result(), {
    type: 'tellsInfo',
    queue: b.queue,
    attempt: 1,
    memo: { kept: { nested: [1] } },
    namespace: 'default',
    runTimeoutMs: 50000,
    executionTimeoutMs: 100000,
    taskTimeoutMs: 9000,
    retry: 3,
    priority: 2,
    first: run.firstExecutionRunId,
    historyLength: 3,
  });
  const description = await run.describe();
  b.expect('memo', description.memo, { kept: { nested: [1] } });
  for (const { key, value } of typedSearchAttributes) {
    b.expect(`attribute ${key.name}`, description.typedSearchAttributes.get(key as typeof ATTRIBUTES.colour), value);
  }
  b.expect('summary', await description.staticSummary(), 'a summary');
  b.expect('details', await description.staticDetails(), 'some *details*');
  b.expect('priority', description.priority?.priorityKey, 2);
  return 'told to the workflow and to those who describe it';
}

async function refusedStarts(b: Bench): Promise<string> {
  const unknown = { key: { name: 'ParityUnknown', type: 'INT' as const }, value: 1 };
  await b.refuses(
    'an unknown attribute',
    grpc.INVALID_ARGUMENT,
    'ParityUnknown',
    b.start('echo', ['x'], { typedSearchAttributes: [unknown] }),
  );
  await b.refuses(
    'a cron schedule that is none',
    grpc.INVALID_ARGUMENT,
    'nvalid CronSchedule',
    b.start('echo', ['x'], { cronSchedule: 'whenever' }),
  );
  await b.refuses(
    'a delay with a cron schedule',
    grpc.INVALID_ARGUMENT,
    'CronSchedule and WorkflowStartDelay',
    b.start('echo', ['x'], { cronSchedule: '@every 1h', startDelay: '1s' }),
  );
  return await b.refuses(
    'an id that is too long',
    grpc.INVALID_ARGUMENT,
    'length',
    b.start('echo', ['x'], { workflowId: 'x'.repeat(1001) }),
  );
}

async function startDelay(b: Bench): Promise<string> {
  const begun = Date.now();
  const delayed = await b.start('echo', ['late'], { startDelay: '300ms' });
  b.expect('result', await delayed.result(), 'late');
  if (Date.now() - begun < 300) b.fail(`a delay of 300 ms took ${Date.now() - begun} ms`);
  const [started] = await b.history(delayed.workflowId);
  b.expect(
    'delay in the history',
    Number(started.workflowExecutionStartedEventAttributes?.firstWorkflowTaskBackoff?.nanos),
    300_000_000,
  );
  // A signal waits, too.
  const signaled = await b.start('messages', [], { startDelay: '300ms' });
  await signaled.signal('end');
  b.expect('words', await signaled.result(), []);
  const events = await b.history(signaled.workflowId);
  const [start, first] = events.filter((event) => !event.workflowExecutionSignaledEventAttributes).map(eventMs);
  if (first - start < 300) b.fail(`a signal ended the delay: the first task came after ${first - start} ms`);
  return 'waited 300 ms, a signal with it';
}

async function idReusePolicies(b: Bench): Promise<string> {
  const done = await b.start('echo', ['done']);
  await done.result();
  const again = { workflowId: done.workflowId };
  await b.failsAs(
    'after a completed run',
    WorkflowExecutionAlreadyStartedError,
    '',
    b.start('echo', ['x'], { ...again, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' }),
  );
  await b.failsAs(
    'never again',
    WorkflowExecutionAlreadyStartedError,
    '',
    b.start('echo', ['x'], { ...again, workflowIdReusePolicy: 'REJECT_DUPLICATE' }),
  );
  const second = await b.start('fails', ['second'], { ...again, workflowIdReusePolicy: 'ALLOW_DUPLICATE' });
  await b.failsAs('the second', WorkflowFailedError, '', second.result());
  const third = await b.start('messages', [], { ...again, workflowIdReusePolicy: 'ALLOW_DUPLICATE_FAILED_ONLY' });
  const fourth = await b.start('echo', ['fourth'], { ...again, workflowIdReusePolicy: 'TERMINATE_IF_RUNNING' });
  b.expect('fourth', await fourth.result(), 'fourth');
  const statuses = [];
  for (const run of [done, second, third, fourth]) {
    statuses.push(await b.status(run.workflowId, run.firstExecutionRunId));
  }
  b.expect('statuses', statuses, ['COMPLETED', 'FAILED', 'TERMINATED', 'COMPLETED']);
  return 'four runs of one id, three refused or replaced';
}

async function idConflictPolicies(b: Bench): Promise<string> {
  const run = await b.start('messages');
  const again = { workflowId: run.workflowId };
  await b.failsAs(
    'fail',
    WorkflowExecutionAlreadyStartedError,
    '',
    b.start('messages', [], { ...again, workflowIdConflictPolicy: 'FAIL' }),
  );
  const same = await b.start('messages', [], { ...again, workflowIdConflictPolicy: 'USE_EXISTING' });
  b.expect('the existing run', same.firstExecutionRunId, run.firstExecutionRunId);
  const other = await b.start('messages', [], { ...again, workflowIdConflictPolicy: 'TERMINATE_EXISTING' });
  b.expect('the first run', await b.status(run.workflowId, run.firstExecutionRunId), 'TERMINATED');
  if (other.firstExecutionRunId === run.firstExecutionRunId) b.fail('the terminated run goes on');
  await other.signal('end');
  b.expect('the new run', await other.result(), []);
  return 'refused, the same, replaced';
}

async function workflowRetry(b: Bench): Promise<string> {
  const retry = { initialInterval: '20ms', backoffCoefficient: 1, maximumAttempts: 3 } as const;
  const run = await b.start('failsUntil', [3], { retry });
  b.expect('result', await run.result(), 3);
  const last = await b.run(run.workflowId).describe();
  b.keep(run.workflowId, last.runId);
  b.expect('first attempt', await b.status(run.workflowId, run.firstExecutionRunId), 'FAILED');
  if (last.runId === run.firstExecutionRunId) b.fail(`attempt 3 ran as attempt 1's run ${last.runId}`);
  const [started] = await b.history(run.workflowId, last.runId);
  const attributes = started.workflowExecutionStartedEventAttributes!;
  b.expect('last failure', [attributes.attempt, attributes.continuedFailure?.message], [3, 'not yet']);
  const spent = await b.failsAs(
    'out of attempts',
    WorkflowFailedError,
    'not yet',
    (await b.start('failsUntil', [9], { retry })).result(),
  );
  b.expect('retry state', spent.retryState, 'MAXIMUM_ATTEMPTS_REACHED');
  const final = await b.failsAs(
    'not to be retried',
    WorkflowFailedError,
    'not yet',
    (await b.start('failsUntil', [3, 'Final'], { retry: { ...retry, nonRetryableErrorTypes: ['Final'] } })).result(),
  );
  b.expect('retry state', final.retryState, 'NON_RETRYABLE_FAILURE');
  // Without following runs, the first one tells that it has a successor.
  const first = await b.start('failsUntil', [2], { retry, followRuns: false });
  await b.failsAs('the first run alone', WorkflowContinuedAsNewError, '', first.result());
  return 'attempt 3 in a run of its own; out of attempts; not to be retried';
}

async function workflowTimeouts(b: Bench): Promise<string> {
  const seen: string[] = [];
  const timesOut = async (what: string, options: object): Promise<void> => {
    const run = await b.start('cleansUp', [], options);
    const failure = await b.failsAs(what, WorkflowFailedError, '', run.result());
    if (!(failure.cause instanceof TimeoutFailure)) b.fail(`${what}: ${failure.cause}`);
    seen.push(`${failure.cause.timeoutType} ${failure.retryState}`);
    b.expect('status', await b.status(run.workflowId), 'TIMED_OUT');
  };
  await timesOut('run timeout', { workflowRunTimeout: '1s' });
  await timesOut('execution timeout', { workflowExecutionTimeout: '1s' });
  await timesOut('run timeout with retries', {
    workflowRunTimeout: '1s',
    retry: { initialInterval: '10ms', maximumAttempts: 2 },
  });
  b.expect('timeouts', seen, [
    'START_TO_CLOSE RETRY_POLICY_NOT_SET',
    'START_TO_CLOSE TIMEOUT',
    'START_TO_CLOSE MAXIMUM_ATTEMPTS_REACHED',
  ]);
  return seen.join(', ');
}

// Runs follow each other; the later ones know the last result and the last failure.
async function cron(b: Bench): Promise<string> {
  const run = await b.start('counts', [], { cronSchedule: '@every 1s' });
  const result = run.result();
  result.catch(() => undefined);
  const fourth = b.run(run.workflowId);
  await b.eventually('what the fourth run knows', '2, then Third/no third/true', async () => {
    try {
      return await fourth.query<string>('seen');
    } catch {
      return ''; // The earlier runs have no such query.
    }
  });
  const last = (await fourth.describe()).runId;
  await fourth.terminate('seen enough');
  const failure = await b.failsAs("the chain's result", WorkflowFailedError, '', result);
  if (!(failure.cause instanceof TerminatedFailure)) b.fail(`the chain ended with ${failure.cause}`);
  const [started] = await b.history(run.workflowId, last);
  const { firstExecutionRunId, cronSchedule, initiator } = started.workflowExecutionStartedEventAttributes!;
  b.expect('chain', [firstExecutionRunId, cronSchedule, initiator], [run.firstExecutionRunId, '@every 1s', 3]);
  const ends = await b.events({ workflowId: run.workflowId, runId: run.firstExecutionRunId }, 'Execution');
  b.expect('first run', ends, ['WorkflowExecutionStarted', 'WorkflowExecutionCompleted']);
  return 'four runs: two results, a failure, and one that knows of them';
}

// A worker on the same connection gets the first task with the start's answer.
async function eagerStart(b: Bench): Promise<string> {
  const client = new Client({ connection: b.shared.native });
  const options = { taskQueue: b.queue, args: ['eager'] as [string], requestEagerStart: true };
  const handle = await client.workflow.start<(word: string) => Promise<string>>('echo', {
    ...options,
    workflowId: b.newId(),
  });
  b.expect('result', await handle.result(), 'eager');
  const [started] = await b.history(handle.workflowId);
  b.expect(
    'accepted',
    [handle.eagerlyStarted, started.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted],
    [true, true],
  );
  return 'the first task came with the answer';
}

async function workflowFailure(b: Bench): Promise<string> {
  const run = await b.start('fails', ['broken on purpose']);
  const failure = await b.failsAs('result', WorkflowFailedError, 'broken on purpose', run.result());
  const cause = failure.cause as ApplicationFailure;
  b.expect('failure', [cause.type, cause.details, cause.nonRetryable], ['Broken', ['detail', 7], true]);
  const root = cause.cause as ApplicationFailure;
  b.expect('cause', [root.message, root.type, root.nonRetryable], ['the root', 'Root', false]);
  b.expect('retry state', failure.retryState, 'RETRY_POLICY_NOT_SET');
  b.expect('status', await b.status(run.workflowId), 'FAILED');
  return `${cause.type} <- ${root.type}`;
}

export const startScenarios: Record<string, Scenario> = {
  start_options: startOptions,
  refused_starts: refusedStarts,
  start_delay: startDelay,
  id_reuse_policies: idReusePolicies,
  id_conflict_policies: idConflictPolicies,
  workflow_retry: workflowRetry,
  workflow_timeouts: workflowTimeouts,
  cron,
  eager_start: eagerStart,
  workflow_failure: workflowFailure,
};
