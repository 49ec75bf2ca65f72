// Signals, queries and updates.
import { status as grpc } from '@grpc/grpc-js';
import {
  QueryNotRegisteredError,
  QueryRejectedError,
  WithStartWorkflowOperation,
  WorkflowClient,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  WorkflowNotFoundError,
  type WorkflowIdConflictPolicy,
} from '@temporalio/common';
import type { Bench, Scenario } from './judge';

async function signal(b: Bench): Promise<string> {
  const run = await b.start('messages');
  await run.signal('add', 'one');
  await run.signal('addTimes', 'two', 2);
  await run.signal('end');
  b.expect('words', await run.result(), ['one', 'two', 'two']);
  const late = await b.failsAs('to a closed workflow', WorkflowNotFoundError, '', run.signal('add', 'late'));
  await b.failsAs('to nobody', WorkflowNotFoundError, '', b.run(b.newId()).signal('add', 'lost'));
  return `in order, several arguments, then ${late.name}`;
}

// What is sent before there is a worker, is there when it comes.
async function signalsBeforeWorker(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  const run = await b.start('messages', [], { taskQueue });
  for (const word of ['one', 'two', 'three']) await run.signal('add', word);
  await run.signal('end');
  return await b.withWorker(taskQueue, {}, async () => {
    b.expect('words', await run.result(), ['one', 'two', 'three']);
    b.expect('tasks', await b.events(run, 'WorkflowTask'), [
      'WorkflowTaskScheduled',
      'WorkflowTaskStarted',
      'WorkflowTaskCompleted',
    ]);
    return 'four signals, one task';
  });
}

async function signalWithStart(b: Bench): Promise<string> {
  const options = { workflowId: b.newId(), taskQueue: b.queue, signal: 'add', args: [] as [], memo: { kept: 'yes' } };
  const first = await b.client.workflow.signalWithStart('messages', { ...options, signalArgs: ['new'] });
  b.keep(first.workflowId, first.signaledRunId);
  const second = await b.client.workflow.signalWithStart('messages', { ...options, signalArgs: ['again'] });
  b.expect('runs', second.signaledRunId, first.signaledRunId);
  await first.signal('end');
  b.expect('words', await first.result(), ['new', 'again']);
  b.expect('memo', (await first.describe()).memo, { kept: 'yes' });
  await b.failsAs(
    'never again',
    WorkflowExecutionAlreadyStartedError,
    '',
    b.client.workflow.signalWithStart('messages', {
      ...options,
      signalArgs: ['x'],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
    }),
  );
  const third = await b.client.workflow.signalWithStart('messages', { ...options, signalArgs: ['third'] });
  const fourth = await b.client.workflow.signalWithStart('messages', {
    ...options,
    signalArgs: ['fourth'],
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
  await fourth.signal('end');
  b.expect('words of the new run', await fourth.result(), ['fourth']);
  b.expect('the replaced run', await b.status(options.workflowId, third.signaledRunId), 'TERMINATED');
  return 'a new run, the same run, refused, replaced';
}

async function externalSignalAndCancel(b: Bench): Promise<string> {
  const target = await b.start('messages');
  const lost = await (await b.start('caller', [target.workflowId])).result();
  const failure = await b.failsAs('target', WorkflowFailedError, '', target.result());
  if (!(failure.cause instanceof CancelledFailure)) b.fail(`the target ended with ${failure.cause}`);
  b.expect('status', await b.status(target.workflowId), 'CANCELLED');
  b.expect('words', await target.query('text', '+'), 'from outside');
  b.expect(
    'not there',
    lost,
    'Unable to signal external workflow because it was not found, ExternalWorkflowExecutionNotFound, ' +
      'Unable to cancel external workflow because not found, ExternalWorkflowExecutionNotFound',
  );
  b.expect('cancelled signal', await (await b.start('cancelsSignal')).result(), 'CancelledFailure');
  return 'delivered; unknown ones told; one cancelled';
}

async function query(b: Bench): Promise<string> {
  const run = await b.start('messages');
  await run.signal('add', 'a');
  await run.signal('add', 'b');
  b.expect('running', await run.query('text', '+'), 'a+b');
  const broken = await b.failsAs(
    'failing query',
    QueryNotRegisteredError,
    'this query always fails',
    run.query('broken'),
  );
  await b.failsAs('unknown query', QueryNotRegisteredError, 'noSuchQuery', run.query('noSuchQuery'));
  const before = await b.events(run);
  await run.query('text', '+');
  b.expect('events after a query', await b.events(run), before);
  b.contains('stack trace', await run.query<string>('__stack_trace'), 'messages');
  const metadata: any = await run.query('__temporal_workflow_metadata');
  b.expect('metadata', metadata.definition.queryDefinitions.length > 2, true);
  await run.signal('end');
  await run.result();
  b.expect('closed', await b.run(run.workflowId, run.firstExecutionRunId).query('text', '-'), 'a-b');
  await b.failsAs('nobody', WorkflowNotFoundError, '', b.run(b.newId()).query('text', '-'));
  return `running a+b, closed a-b, failing: ${broken.message}`;
}

async function queryRejectConditions(b: Bench): Promise<string> {
  const open = await b.start('messages');
  const done = await b.start('echo', ['x']);
  await done.result();
  const broken = await b.start('fails', ['x']);
  await b.failsAs('result', WorkflowFailedError, '', broken.result());
  const seen: string[] = [];
  for (const queryRejectCondition of ['NONE', 'NOT_OPEN', 'NOT_COMPLETED_CLEANLY'] as const) {
    const client = new WorkflowClient({ connection: b.shared.connection, queryRejectCondition });
    for (const run of [open, done, broken]) {
      try {
        await client.getHandle(run.workflowId).query('__stack_trace');
        seen.push('answered');
      } catch (failure) {
        if (!(failure instanceof QueryRejectedError)) throw failure;
        seen.push(`rejected ${failure.status}`);
      }
    }
  }
  b.expect('open, completed, failed', seen, [
    'answered',
    'answered',
    'answered',
    'answered',
    'rejected 2',
    'rejected 3',
    'answered',
    'answered',
    'rejected 3',
  ]);
  return seen.join(', ');
}

async function queryWithoutWorker(b: Bench): Promise<string> {
  const taskQueue = b.newId();
  const run = await b.start('messages', [], { taskQueue });
  const ask = b.client.withDeadline(Date.now() + 1000, () => run.query('text', '+'));
  // Whether the client's clock or the server's rings first decides what it is called.
  await b.refuses('before the first task', [grpc.DEADLINE_EXCEEDED, grpc.CANCELLED], '', ask);
  return await b.withWorker(taskQueue, {}, async () => {
    b.expect('with a worker', await run.query('text', '+'), '');
    await run.terminate();
    return 'waited until its deadline; answered later';
  });
}

async function updateAccepted(b: Bench): Promise<string> {
  const run = await b.start('messages');
  b.expect('result', await run.executeUpdate('append', { args: ['one'], updateId: 'u1' }), 1);
  b.expect('same id again', await run.executeUpdate('append', { args: ['one'], updateId: 'u1' }), 1);
  b.expect('text', await run.query('text', '+'), 'one');
  // Accepted is not completed.
  const waiting = await run.startUpdate<string, []>('waitForEnd', { waitForStage: 'ACCEPTED', updateId: 'u2' });
  b.expect('run', waiting.workflowRunId, run.firstExecutionRunId);
  b.expect('events', await b.events(run, 'Update'), [
    'WorkflowExecutionUpdateAccepted',
    'WorkflowExecutionUpdateCompleted',
    'WorkflowExecutionUpdateAccepted',
  ]);
  await run.signal('end');
  b.expect('later', await waiting.result(), 'ended');
  await run.result();
  b.expect('after the end', await run.getUpdateHandle('u1').result(), 1);
  await b.failsAs('unknown update', WorkflowNotFoundError, '', run.getUpdateHandle('u3').result());
  await b.failsAs('of a closed workflow', WorkflowNotFoundError, '', run.executeUpdate('append', { args: ['late'] }));
  return 'completed once, known by its id, also after the end';
}

async function updateRejected(b: Bench): Promise<string> {
  const run = await b.start('messages');
  await b.eventually('first task', 1, async () => (await b.events(run, 'WorkflowTaskCompleted')).length);
  const before = await b.events(run);
  const failure = await b.failsAs(
    'update',
    WorkflowUpdateFailedError,
    'an empty word',
    run.executeUpdate('append', { args: [''] }),
  );
  const cause = failure.cause as ApplicationFailure;
  b.expect('failure', [cause.type, cause.nonRetryable], ['EmptyWord', false]);
  b.expect('events after a rejection', await b.events(run), before);
  await b.failsAs('unknown update', WorkflowUpdateFailedError, 'noSuchUpdate', run.executeUpdate('noSuchUpdate'));
  return 'EmptyWord, no trace in the history';
}

async function updateWithActivity(b: Bench): Promise<string> {
  const run = await b.start('messages');
  b.expect('result', await run.executeUpdate('appendEcho', { args: ['deep'] }), 'deep');
  b.expect('events', await b.events(run, 'Update', 'Activity'), [
    'WorkflowExecutionUpdateAccepted',
    'ActivityTaskScheduled',
    'ActivityTaskStarted',
    'ActivityTaskCompleted',
    'WorkflowExecutionUpdateCompleted',
  ]);
  return 'accepted, ran an activity, completed';
}

async function updateFailing(b: Bench): Promise<string> {
  const run = await b.start('messages');
  const handle = await run.startUpdate<void, []>('failLater', { waitForStage: 'ACCEPTED' });
  const failure = await b.failsAs('update', WorkflowUpdateFailedError, 'accepted, then failed', handle.result());
  b.expect('failure', (failure.cause as ApplicationFailure).type, 'TooLate');
  b.expect('status', await b.status(run.workflowId), 'RUNNING');
  return 'TooLate, the workflow runs on';
}

async function updateOfClosingWorkflow(b: Bench): Promise<string> {
  const run = await b.start('leavesUpdate');
  const failure = await b.failsAs('update', WorkflowUpdateFailedError, '', run.executeUpdate('never'));
  b.expect('type', (failure.cause as ApplicationFailure).type, 'AcceptedUpdateCompletedWorkflow');
  await run.result();
  return failure.cause!.message;
}

function withStart(b: Bench, workflowId: string, workflowIdConflictPolicy: WorkflowIdConflictPolicy) {
  return new WithStartWorkflowOperation('messages', {
    workflowId,
    taskQueue: b.queue,
    args: [],
    workflowIdConflictPolicy,
  });
}

async function updateWithStart(b: Bench): Promise<string> {
  const id = b.newId();
  const { workflow } = b.client;
  const once = async (word: string, policy: WorkflowIdConflictPolicy = 'USE_EXISTING'): Promise<[number, string]> => {
    const startWorkflowOperation = withStart(b, id, policy);
    const length = await workflow.executeUpdateWithStart<any, number, [string]>('append', {
      args: [word],
      startWorkflowOperation,
    });
    return [length, (await (await startWorkflowOperation.workflowHandle()).describe()).runId];
  };
  const [length, first] = await once('one');
  b.keep(id, first);
  b.expect('new', length, 1);
  b.expect('existing', await once('two'), [2, first]);
  await b.failsAs('rejected', WorkflowUpdateFailedError, 'an empty word', once(''));
  await b.failsAs('taken', WorkflowExecutionAlreadyStartedError, '', once('three', 'FAIL'));
  const startWorkflowOperation = withStart(b, id, 'USE_EXISTING');
  const waiting = await workflow.startUpdateWithStart<any, string, []>('waitForEnd', {
    startWorkflowOperation,
    waitForStage: 'ACCEPTED',
  });
  await b.run(id).signal('end');
  b.expect('accepted first', await waiting.result(), 'ended');
  const [again, second] = await once('new');
  b.expect('after the end', [again, second === first], [1, false]);
  return 'a new run, the same run, rejected, refused, accepted, another new run';
}

async function dynamicHandlers(b: Bench): Promise<string> {
  const run = await b.start('dynamic');
  await run.signal('any', 1, 2);
  b.expect('update', await run.executeUpdate('other', { args: ['x'] }), 2);
  b.expect('query', await run.query('what', 3), 'what(3) after any(1,2),other(x)');
  await run.signal('end');
  b.expect('heard', await run.result(), ['any(1,2)', 'other(x)', 'end()']);
  return 'a signal, an update and a query of any name';
}

export const messageScenarios: Record<string, Scenario> = {
  signal,
  signals_before_worker: signalsBeforeWorker,
  signal_with_start: signalWithStart,
  external_signal_and_cancel: externalSignalAndCancel,
  query,
  query_reject_conditions: queryRejectConditions,
  query_without_worker: queryWithoutWorker,
  update_accepted: updateAccepted,
  update_rejected: updateRejected,
  update_with_activity: updateWithActivity,
  update_failing: updateFailing,
  update_of_closing_workflow: updateOfClosingWorkflow,
  update_with_start: updateWithStart,
  dynamic_handlers: dynamicHandlers,
};
