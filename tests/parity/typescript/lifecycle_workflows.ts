import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  condition,
  continueAsNew,
  defineQuery,
  deprecatePatch,
  isCancellation,
  makeContinueAsNewFunc,
  patched,
  proxyLocalActivities,
  setHandler,
  sleep,
  upsertMemo,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import type * as activities from './activities';
import { describeFailure, echoActivity, FOREVER } from './workflow_parts';

const COLOUR = defineSearchAttributeKey('ParityColour', 'KEYWORD');
const SIZE = defineSearchAttributeKey('ParitySize', 'INT');

export async function echo(value: string): Promise<string> {
  return value;
}

export async function fails(message: string): Promise<void> {
  const cause = ApplicationFailure.retryable('the root', 'Root');
  throw ApplicationFailure.create({ message, type: 'Broken', nonRetryable: true, details: ['detail', 7], cause });
}

export async function failsUntil(attempt: number, type = 'NotYet'): Promise<number> {
  if (workflowInfo().attempt < attempt) throw ApplicationFailure.retryable('not yet', type);
  return attempt;
}

// An error that is no failure: the workflow task fails, the workflow waits for better code.
export async function hasABug(): Promise<void> {
  throw new TypeError('a bug of the program');
}

// Waits for ever; when cancelled, it runs an activity first.
export async function cleansUp(): Promise<void> {
  try {
    await sleep(FOREVER);
  } catch (failure) {
    if (!isCancellation(failure)) throw failure;
    await CancellationScope.nonCancellable(() => echoActivity('swept'));
    throw failure;
  }
}

export async function timers(): Promise<string> {
  const begun = Date.now();
  const scope = new CancellationScope();
  const long = scope.run(() => sleep(FOREVER, { summary: 'never fires' }));
  await sleep(200);
  scope.cancel();
  try {
    await long;
    return 'the long timer was not cancelled';
  } catch (failure) {
    if (!isCancellation(failure)) throw failure;
  }
  if (await condition(() => false, 20)) return 'a condition that never holds held';
  return Date.now() - begun < 200 ? 'early' : 'late';
}

// What each kind of scope lets through.
export async function scopes(): Promise<string[]> {
  const seen: string[] = [];
  const note = async (name: string, running: Promise<unknown>): Promise<void> => {
    try {
      await running;
      seen.push(`${name} ended`);
    } catch (failure) {
      seen.push(`${name} ${failure instanceof CancelledFailure ? 'cancelled' : failure}`);
    }
  };
  await note(
    'timeout',
    CancellationScope.withTimeout(20, () => sleep(FOREVER)),
  );
  const outer = new CancellationScope();
  let cancelled = false;
  const later = async (): Promise<void> => {
    await condition(() => cancelled);
    await sleep(1);
  };
  const running = outer.run(() =>
    Promise.all([
      note('shielded', CancellationScope.nonCancellable(later)),
      note('open', sleep(FOREVER)),
      note(
        'inner',
        CancellationScope.cancellable(() => sleep(FOREVER)),
      ),
    ]),
  );
  await echoActivity('the timers are running');
  outer.cancel();
  cancelled = true;
  await running;
  await note('root', sleep(FOREVER)); // Ends with the request to cancel the workflow.
  seen.push(`considered cancelled: ${CancellationScope.current().consideredCancelled}`);
  return seen;
}

export async function countdown(left: number, runs: string[]): Promise<string[]> {
  runs.push(workflowInfo().runId);
  return left > 0 ? await continueAsNew<typeof countdown>(left - 1, runs) : runs;
}

// Continues as another type, with another memo, attribute and timeout.
export async function changes(): Promise<never> {
  const next = makeContinueAsNewFunc<typeof changed>({
    workflowType: 'changed',
    memo: { step: 'second' },
    workflowRunTimeout: '90s',
    typedSearchAttributes: [{ key: COLOUR, value: 'green' }],
  });
  return await next('argument');
}

// Goes on as the workflow that waits for messages.
export async function moves(): Promise<never> {
  return await makeContinueAsNewFunc({ workflowType: 'messages' })();
}

export async function changed(argument: string): Promise<unknown[]> {
  const info = workflowInfo();
  return [argument, info.workflowType, info.memo, info.typedSearchAttributes.get(COLOUR), info.runTimeoutMs];
}

// The number of its runs; the third one fails, the fourth tells what it knows of the earlier ones.
export async function counts(): Promise<number> {
  const last = workflowInfo().lastResult as number | undefined;
  const failure = workflowInfo().lastFailure;
  if (failure !== undefined) {
    setHandler(defineQuery<string>('seen'), () => `${last}, then ${describeFailure(failure)}`);
    await sleep(FOREVER);
  }
  if (last === 2) throw ApplicationFailure.nonRetryable('no third', 'Third');
  return (last ?? 0) + 1;
}

// Upserts, and leaves a marker for the replay.
export async function tagged(value: string): Promise<unknown[]> {
  upsertSearchAttributes([
    { key: COLOUR, value },
    { key: SIZE, value: null },
  ]);
  upsertMemo({ step: 'painted', dropped: null });
  if (!patched('second coat')) throw ApplicationFailure.nonRetryable('not the newest version');
  deprecatePatch('first coat');
  const local = proxyLocalActivities<typeof activities>({ startToCloseTimeout: '20s' });
  const text = await local.echoActivity('painted');
  const info = workflowInfo();
  const random = [uuid4(), Math.random()];
  await sleep(1);
  setHandler(defineQuery<unknown[]>('random'), () => random);
  return [text, info.typedSearchAttributes.get(COLOUR), info.typedSearchAttributes.get(SIZE) ?? null, info.memo];
}

// What the server told of this run.
export async function tellsInfo(): Promise<Record<string, unknown>> {
  const info = workflowInfo();
  return {
    type: info.workflowType,
    queue: info.taskQueue,
    attempt: info.attempt,
    memo: info.memo,
    namespace: info.namespace,
    runTimeoutMs: info.runTimeoutMs,
    executionTimeoutMs: info.executionTimeoutMs,
    taskTimeoutMs: info.taskTimeoutMs,
    retry: info.retryPolicy?.maximumAttempts,
    priority: info.priority?.priorityKey,
    first: info.firstExecutionRunId,
    historyLength: info.historyLength,
    parent: info.parent?.workflowId,
    root: info.root?.workflowId,
  };
}
