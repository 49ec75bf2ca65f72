// Children: how they end, how they are cancelled, what becomes of them when their parent ends.
import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { ATTRIBUTES, addAttributes } from './attributes';
import type { Bench, Scenario } from './judge';

const BROKEN = 'Broken/child broke/detail/7/true <- Root/the root/false';

async function childWorkflow(b: Bench): Promise<string> {
  await addAttributes(b);
  const workflowId = b.newId();
  const run = await b.start('parent', [
    'tellsInfo',
    [],
    {
      workflowId,
      memo: { kept: 'yes' },
      workflowRunTimeout: '50s',
      staticSummary: 'a child',
      priority: { priorityKey: 4 },
      searchAttributes: { ParityColour: ['blue'] },
    },
  ]);
  const told: any = await run.result();
  b.expect(
    'what the child was told',
    [told.parent, told.root, told.runTimeoutMs, told.memo, told.priority],
    [run.workflowId, run.workflowId, 50000, { kept: 'yes' }, 4],
  );
  const child = await b.run(workflowId).describe();
  b.keep(workflowId, child.runId);
  b.expect(
    'description',
    [
      child.parentExecution?.workflowId,
      child.rootExecution?.workflowId,
      child.memo,
      child.typedSearchAttributes.get(ATTRIBUTES.colour),
      await child.staticSummary(),
    ],
    [run.workflowId, run.workflowId, { kept: 'yes' }, 'blue', 'a child'],
  );
  b.expect('events', await b.events(run, 'Child'), [
    'StartChildWorkflowExecutionInitiated',
    'ChildWorkflowExecutionStarted',
    'ChildWorkflowExecutionCompleted',
  ]);
  return 'completed, with its options, and knows its parent';
}

async function childFailures(b: Bench): Promise<string> {
  const cases: [string, unknown[], object, string, string][] = [
    ['fails', ['child broke'], {}, `RETRY_POLICY_NOT_SET: ${BROKEN}`, 'ChildWorkflowExecutionFailed'],
    [
      'failsUntil',
      [9],
      { retry: { maximumAttempts: 2, initialInterval: '10ms' } },
      'MAXIMUM_ATTEMPTS_REACHED: NotYet/not yet/false',
      'ChildWorkflowExecutionFailed',
    ],
    [
      'cleansUp',
      [],
      { workflowRunTimeout: '1s' },
      'RETRY_POLICY_NOT_SET: TimeoutFailure',
      'ChildWorkflowExecutionTimedOut',
    ],
  ];
  for (const [type, args, options, wanted, event] of cases) {
    const run = await b.start('parent', [type, args, options]);
    b.expect(type, await run.result(), wanted);
    b.expect(type, (await b.events(run, 'Child')).at(-1), event);
  }
  return 'failed, out of attempts, timed out';
}

async function childRetry(b: Bench): Promise<string> {
  const retry = { initialInterval: '10ms', maximumAttempts: 3 };
  b.expect('result', await (await b.start('parent', ['failsUntil', [3], { retry }])).result(), 3);
  b.expect(
    'continued as new',
    ((await (await b.start('parent', ['countdown', [2, []], {}])).result()) as []).length,
    3,
  );
  return "the third attempt's result; the third run's";
}

async function childEndedByOthers(b: Bench): Promise<string> {
  const seen: unknown[] = [];
  for (const end of ['terminate', 'cancel'] as const) {
    const workflowId = b.newId();
    const run = await b.start('watches', [workflowId]);
    await b.eventually('child', 1, async () => (await b.events(run, 'ChildWorkflowExecutionStarted')).length);
    await b.run(workflowId)[end]();
    seen.push(await run.result(), ...(await b.events(run, 'Child')).slice(-1));
  }
  b.expect('what the parent saw', seen, [
    'NON_RETRYABLE_FAILURE: TerminatedFailure',
    'ChildWorkflowExecutionTerminated',
    'NON_RETRYABLE_FAILURE: CancelledFailure',
    'ChildWorkflowExecutionCanceled',
  ]);
  return 'terminated and cancelled, and the parent was told';
}

async function childCancel(b: Bench): Promise<string> {
  const cases: [string, string, string, string[]][] = [
    [
      'WAIT_CANCELLATION_COMPLETED',
      'ChildWorkflowFailure <- CancelledFailure',
      'CANCELLED',
      ['ExternalWorkflowExecutionCancelRequested', 'ChildWorkflowExecutionCanceled'],
    ],
    [
      'WAIT_CANCELLATION_REQUESTED',
      'ChildWorkflowFailure <- CancelledFailure',
      'CANCELLED',
      ['ExternalWorkflowExecutionCancelRequested'],
    ],
    ['TRY_CANCEL', 'ChildWorkflowFailure <- CancelledFailure', 'CANCELLED', []],
    ['ABANDON', 'ChildWorkflowFailure <- CancelledFailure', 'RUNNING', []],
  ];
  for (const [type, failure, status, events] of cases) {
    const child = b.newId();
    const run = await b.start('cancelsChild', [type, child]);
    await b.eventually(
      `${type}: started`,
      1,
      async () => (await b.events(run, 'ChildWorkflowExecutionStarted')).length,
    );
    await b.eventually(`${type}: child`, status, () => b.status(child));
    await run.signal('end');
    b.expect(type, await run.result(), failure);
    const saw = await b.events(run, 'ExternalWorkflowExecutionCancelRequested', 'ChildWorkflowExecutionCanceled');
    b.expect(
      `${type}: events`,
      events.every((event) => saw.includes(event)),
      true,
    );
    if (status === 'RUNNING') await b.run(child).terminate();
  }
  const early = b.newId();
  b.expect('early', await (await b.start('cancelsChildEarly', [early])).result(), 'cancelled before it started');
  return 'waited for, requested, tried, abandoned, before its start';
}

// A child under the id of a running workflow never starts.
async function childIdTaken(b: Bench): Promise<string> {
  const taken = await b.start('messages');
  const run = await b.start('parent', ['echo', ['hello'], { workflowId: taken.workflowId }]);
  b.expect('result', await run.result(), 'already started');
  b.expect('events', await b.events(run, 'Child'), [
    'StartChildWorkflowExecutionInitiated',
    'StartChildWorkflowExecutionFailed',
  ]);
  await taken.signal('end');
  await taken.result();
  const refused = await b.start('parent', [
    'echo',
    ['hello'],
    { workflowId: taken.workflowId, workflowIdReusePolicy: 'REJECT_DUPLICATE' },
  ]);
  b.expect("a closed one's id", await refused.result(), 'already started');
  const reused = await b.start('parent', ['echo', ['hello'], { workflowId: taken.workflowId }]);
  b.expect('reused', await reused.result(), 'hello');
  return 'refused while it runs, refused by policy, reused';
}

async function childSignal(b: Bench): Promise<string> {
  b.expect('heard', await (await b.start('signalsChild', [b.newId()])).result(), ['from the parent']);
  return 'heard by the child';
}

async function parentClosePolicies(b: Bench): Promise<string> {
  const wanted = { TERMINATE: 'TERMINATED', ABANDON: 'RUNNING', REQUEST_CANCEL: 'CANCELLED' };
  for (const [policy, status] of Object.entries(wanted)) {
    const child = b.newId();
    await (await b.start('leaver', [policy, child])).result();
    await b.eventually(`child under ${policy}`, status, () => b.status(child));
    if (status === 'RUNNING') await b.run(child).terminate();
  }
  return 'terminated, abandoned, cancelled';
}

async function parentCancel(b: Bench): Promise<string> {
  const child = b.newId();
  const run = await b.start('parent', ['cleansUp', [], { workflowId: child }]);
  await b.eventually('child', 1, async () => (await b.events(run, 'ChildWorkflowExecutionStarted')).length);
  b.expect('pending child', (await run.describe()).raw.pendingChildren?.[0]?.workflowId, child);
  await run.cancel();
  b.expect(
    'result',
    await run.result().catch((error) => {
      if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure) return 'cancelled';
      throw error;
    }),
    'NON_RETRYABLE_FAILURE: CancelledFailure',
  );
  b.expect('child', await b.status(child), 'CANCELLED');
  return 'the child heard of it, and cleaned up';
}

export const childScenarios: Record<string, Scenario> = {
  child_workflow: childWorkflow,
  child_failures: childFailures,
  child_retry: childRetry,
  child_ended_by_others: childEndedByOthers,
  child_cancel: childCancel,
  child_id_taken: childIdTaken,
  child_signal: childSignal,
  parent_close_policies: parentClosePolicies,
  parent_cancel: parentCancel,
};
