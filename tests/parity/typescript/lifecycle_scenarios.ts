// How runs end, follow each other, and survive their worker.
import { status as grpc } from '@grpc/grpc-js';
import { WorkflowContinuedAsNewError, WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure, TerminatedFailure, WorkflowNotFoundError } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { addAttributes, ATTRIBUTES } from './attributes';
import { PLAIN } from './bundle';
import type { Bench, Scenario } from './judge';

const LONG = 1200;

async function workflowCancel(b: Bench): Promise<string> {
  const run = await b.start('cleansUp');
  await run.cancel();
  const failure = await b.failsAs('result', WorkflowFailedError, '', run.result());
  if (!(failure.cause instanceof CancelledFailure)) b.fail(`ended with ${failure.cause}`);
  b.expect('status', await b.status(run.workflowId), 'CANCELLED');
  b.expect('clean-up', await b.events(run, 'ActivityTaskCompleted'), ['ActivityTaskCompleted']);
  await run.cancel(); // Of a closed one: nothing happens.
  await b.failsAs('nobody', WorkflowNotFoundError, '', b.run(b.newId()).cancel());
  return 'cleaned up by an activity, then cancelled';
}

async function workflowTerminate(b: Bench): Promise<string> {
  const run = await b.start('cleansUp');
  await run.terminate('no longer wanted');
  const failure = await b.failsAs('result', WorkflowFailedError, '', run.result());
  if (!(failure.cause instanceof TerminatedFailure)) b.fail(`ended with ${failure.cause}`);
  b.expect('reason', failure.cause.message, 'no longer wanted');
  b.expect('status', await b.status(run.workflowId), 'TERMINATED');
  await b.failsAs('again', WorkflowNotFoundError, '', run.terminate());
  return `terminated: ${failure.cause.message}`;
}

async function cancellationScopes(b: Bench): Promise<string> {
  const run = await b.start('scopes');
  await b.eventually('timers', 6, async () => (await b.events(run, 'TimerStarted')).length);
  await run.cancel();
  const seen = (await run.result()) as string[];
  b.expect('scopes', seen, [
    'timeout cancelled',
    'open cancelled',
    'inner cancelled',
    'shielded ended',
    'root cancelled',
    'considered cancelled: true',
  ]);
  return seen.join(', ');
}

async function timers(b: Bench): Promise<string> {
  const run = await b.start('timers');
  b.expect('time passed', await run.result(), 'late');
  b.expect('events', await b.events(run, 'Timer'), [
    'TimerStarted',
    'TimerStarted',
    'TimerFired',
    'TimerCanceled',
    'TimerStarted',
    'TimerFired',
  ]);
  const long = (await b.history(run.workflowId)).find((event) => event.timerStartedEventAttributes);
  b.expect('summary', String(Buffer.from(long?.userMetadata?.summary?.data ?? [])), '"never fires"');
  return '200 ms, never early; the other one cancelled';
}

// Code that throws what is no failure: its task fails, again and again, until there is better code.
async function taskFailure(b: Bench): Promise<string> {
  const run = await b.start('hasABug');
  b.forget(run.workflowId);
  await b.eventually('failed task', 1, async () => (await b.events(run, 'WorkflowTaskFailed')).length);
  const failed = (await b.history(run.workflowId)).find((event) => event.workflowTaskFailedEventAttributes);
  const { failure, cause } = failed!.workflowTaskFailedEventAttributes!;
  b.expect(
    'failure',
    [failure?.message, cause],
    [
      'a bug of the program',
      temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    ],
  );
  await b.eventually('attempt', true, async () => ((await run.describe()).raw.pendingWorkflowTask?.attempt ?? 0) > 1);
  b.expect('status', await b.status(run.workflowId), 'RUNNING');
  await run.terminate();
  // Where the worker says that such errors are failures, they end the workflow.
  const taskQueue = b.newId();
  return await b.withWorker(taskQueue, { workflowFailureErrorTypes: { '*': ['Error'] } }, async () => {
    const ended = await b.start('hasABug', [], { taskQueue });
    b.forget(ended.workflowId);
    await b.failsAs('result', WorkflowFailedError, 'a bug of the program', ended.result());
    return 'failed, tried again; elsewhere a failure of the workflow';
  });
}

async function continueAsNew(b: Bench): Promise<string> {
  const run = await b.start('countdown', [2, []], { memo: { kept: 'yes' } });
  const runs = (await run.result()) as string[];
  b.expect('runs', runs.length, 3);
  const statuses = [];
  for (const runId of runs) statuses.push(await b.status(run.workflowId, runId));
  b.expect('statuses', statuses, ['CONTINUED_AS_NEW', 'CONTINUED_AS_NEW', 'COMPLETED']);
  b.keep(run.workflowId, runs[2]);
  const started = (await b.history(run.workflowId, runs[2]))[0].workflowExecutionStartedEventAttributes!;
  b.expect('chain', [started.continuedExecutionRunId, started.firstExecutionRunId], [runs[1], runs[0]]);
  b.expect('memo', (await b.run(run.workflowId).describe()).memo, { kept: 'yes' });
  const alone = b.client.workflow.getHandle(run.workflowId, runs[0], { followRuns: false });
  const next = await b.failsAs('the first run alone', WorkflowContinuedAsNewError, '', alone.result());
  b.expect('next run', next.newExecutionRunId, runs[1]);
  return 'three runs, result followed, memo kept';
}

async function continueAsOther(b: Bench): Promise<string> {
  await addAttributes(b);
  const run = await b.start('changes', [], { memo: { step: 'first' }, workflowRunTimeout: '50s' });
  b.expect('what the next run was told', await run.result(), [
    'argument',
    'changed',
    { step: 'second' },
    'green',
    90000,
  ]);
  const next = await b.run(run.workflowId).describe();
  b.expect(
    'description',
    [next.type, next.memo, next.typedSearchAttributes.get(ATTRIBUTES.colour)],
    ['changed', { step: 'second' }, 'green'],
  );
  return 'another type, memo, attribute and timeout';
}

// A handle means the chain that it started: its later runs, not another chain under the same id.
async function chainIds(b: Bench): Promise<string> {
  const first = await b.start('moves');
  const moved = async (): Promise<string> => (await b.run(first.workflowId).describe()).type;
  await b.eventually('type', 'messages', moved);
  await first.executeUpdate('append', { args: ['moved'] });
  await first.cancel();
  await b.failsAs('result', WorkflowFailedError, '', first.result());
  const second = await b.start('moves', [], { workflowId: first.workflowId });
  await b.eventually('type', 'messages', moved);
  await b.failsAs('cancel of the first chain', WorkflowNotFoundError, '', first.cancel());
  await b.failsAs('termination of the first chain', WorkflowNotFoundError, '', first.terminate());
  b.expect('the second chain', await b.status(second.workflowId), 'RUNNING');
  await second.terminate();
  b.expect('the second chain', await b.status(second.workflowId), 'TERMINATED');
  return 'cancelled and terminated by its own handle alone';
}

async function resetTo(
  b: Bench,
  workflowId: string,
  runId: string,
  workflowTaskFinishEventId: number,
  more: object = {},
) {
  const reply = await b.service.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId, runId },
    reason: 'try again',
    requestId: b.newId(),
    workflowTaskFinishEventId: workflowTaskFinishEventId as any,
    ...more,
  });
  b.keep(workflowId, reply.runId);
  return reply.runId;
}

// Back to the first workflow task: signals and updates after it are applied again, or left out.
async function reset(b: Bench): Promise<string> {
  const run = await b.start('messages');
  const { workflowId, firstExecutionRunId: base } = run;
  b.expect('update', await run.executeUpdate('append', { args: ['first'] }), 1);
  await run.signal('add', 'second');
  const again = await resetTo(b, workflowId, base, 4);
  b.expect('base', await b.status(workflowId, base), 'TERMINATED');
  await b.run(workflowId, again).signal('end');
  b.expect('words after the reset', await b.run(workflowId, again).result(), ['first', 'second']);
  const types = temporal.api.enums.v1.ResetReapplyExcludeType;
  const without = await resetTo(b, workflowId, again, 4, {
    resetReapplyExcludeTypes: [types.RESET_REAPPLY_EXCLUDE_TYPE_SIGNAL],
  });
  b.expect('a closed base', await b.status(workflowId, again), 'COMPLETED');
  await b.run(workflowId, without).signal('end');
  b.expect('words without signals', await b.run(workflowId, without).result(), ['first']);
  b.expect('trace', (await b.events({ workflowId, runId: without })).includes('WorkflowTaskFailed'), true);
  await b.refuses('to no task', grpc.INVALID_ARGUMENT, '', resetTo(b, workflowId, base, 2));
  return 'an open run terminated, a closed one left; signal and update applied again, then the update alone';
}

// The first worker goes away, then its cache: the next one replays from the beginning.
async function stickyCacheLost(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  const run = await b.withWorker(taskQueue, {}, async () => {
    const started = await b.start('messages', [], { taskQueue });
    await started.executeUpdate('appendEcho', { args: ['before'] });
    return started;
  });
  return await b.withWorker(taskQueue, {}, async () => {
    b.expect('after the restart', await run.query('text', '+'), 'before');
    await run.executeUpdate('appendEcho', { args: ['after'] });
    await b.service.resetStickyTaskQueue({ namespace: 'default', execution: { workflowId: run.workflowId } });
    b.expect('without its sticky queue', await run.query('text', '+'), 'before+after');
    await run.signal('end');
    b.expect('words', await run.result(), ['before', 'after']);
    return 'two workers and a lost sticky queue, one state';
  });
}

async function noCache(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  return await b.withWorker(taskQueue, { maxCachedWorkflows: 0 }, async () => {
    const run = await b.start('messages', [], { taskQueue });
    for (const word of ['a', 'b']) await run.executeUpdate('appendEcho', { args: [word] });
    b.expect('query', await run.query('text', '+'), 'a+b');
    await run.signal('end');
    b.expect('words', await run.result(), ['a', 'b']);
    const scheduled = (await b.history(run.workflowId)).flatMap((e) => e.workflowTaskScheduledEventAttributes ?? []);
    b.expect('queues', [...new Set(scheduled.map((task) => task.taskQueue?.name))], [taskQueue]);
    return 'every task replayed, none on a sticky queue';
  });
}

// More events than a page holds, for a worker that has seen none of them.
async function longHistory(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  const run = await b.start('messages', [], { taskQueue });
  for (let sent = 0; sent < LONG; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, () => run.signal('add', '.')));
  }
  const text = '.'.repeat(LONG);
  await b.withWorker(taskQueue, {}, async () => b.expect('text', await run.query('text', ''), text));
  return await b.withWorker(taskQueue, {}, async () => {
    b.expect('text of a replay', await run.query('text', ''), text);
    await run.signal('end');
    b.expect('words', ((await run.result()) as string[]).length, LONG);
    b.expect('signals in the history', (await b.events(run, 'Signaled')).length, LONG + 1);
    return `${LONG} signals, taken at once and replayed`;
  });
}

async function workerStopsAtOnce(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  const stop = await b.worker(taskQueue);
  const run = await b.start('messages', [], { taskQueue });
  await run.executeUpdate('append', { args: ['seen'] });
  const begun = Date.now();
  await stop();
  const took = Date.now() - begun;
  if (took > 3000) b.fail(`an idle worker took ${took} ms to stop`);
  // What comes while nobody is there waits for the next worker, though the sticky queue is gone.
  await run.signal('end');
  return await b.withWorker(taskQueue, {}, async () => {
    b.expect('words', await run.result(), ['seen']);
    return 'within 3 s; its workflow goes on with the next worker';
  });
}

// Sends every history that the scenarios left through the official replayer, and a wrong one. Runs last.
export async function replay(b: Bench): Promise<string> {
  const histories = [];
  for (const { workflowId, runId } of b.shared.runs) {
    histories.push({ workflowId, history: { events: await b.history(workflowId, runId) } });
  }
  if (histories.length === 0) b.fail('there is no history to replay');
  const options = { workflowBundle: { codePath: PLAIN } };
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories)) {
    if (error !== undefined) b.fail(`${workflowId}: ${error.name}: ${error.message}`);
  }
  const run = histories.find(({ workflowId }) => workflowId.startsWith('timers'));
  if (run !== undefined) {
    run.history.events[0].workflowExecutionStartedEventAttributes!.workflowType!.name = 'cleansUp';
    await b.failsAs('another program', DeterminismViolationError, '', Worker.runReplayHistory(options, run.history));
  }
  return `${histories.length} histories, and another program's refused`;
}

export const lifecycleScenarios: Record<string, Scenario> = {
  workflow_cancel: workflowCancel,
  workflow_terminate: workflowTerminate,
  cancellation_scopes: cancellationScopes,
  timers,
  task_failure: taskFailure,
  continue_as_new: continueAsNew,
  chain_ids: chainIds,
  continue_as_other: continueAsOther,
  reset,
  sticky_cache_lost: stickyCacheLost,
  no_cache: noCache,
  long_history: longHistory,
  worker_stops_at_once: workerStopsAtOnce,
};
