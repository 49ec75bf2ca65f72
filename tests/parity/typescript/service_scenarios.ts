// What the service tells of its runs: describe, lists, counts, history in long polls.
import { status as grpc } from '@grpc/grpc-js';
import type { History } from '@temporalio/common/lib/proto-utils';
import { temporal } from '@temporalio/proto';
import { WorkflowNotFoundError } from '@temporalio/common';
import { addAttributes, ATTRIBUTES } from './attributes';
import { eventName, type Bench, type Scenario } from './judge';
import { tokens } from './activities';

async function listed(b: Bench, query: string, pageSize?: number): Promise<string[]> {
  const ids = [];
  for await (const run of b.client.workflow.list({ query, pageSize })) ids.push(run.workflowId);
  return ids.sort();
}

async function searchAttributesAndMemo(b: Bench): Promise<string> {
  await addAttributes(b);
  const value = b.newId();
  const typedSearchAttributes = [{ key: ATTRIBUTES.size, value: 9 }];
  const run = await b.start('tagged', [value], { memo: { kept: 1, dropped: 2 }, typedSearchAttributes });
  const [text, colour, size, memo] = (await run.result()) as unknown[];
  b.expect('what the workflow saw', [text, colour, size, memo], ['painted', value, null, { kept: 1, step: 'painted' }]);
  b.expect('same random values in a replay', await run.query('random'), await run.query('random'));
  const description = await run.describe();
  b.expect(
    'attributes',
    [description.typedSearchAttributes.get(ATTRIBUTES.colour), description.typedSearchAttributes.get(ATTRIBUTES.size)],
    [value, undefined],
  );
  b.expect('memo', description.memo, { kept: 1, step: 'painted' });
  const query = `ParityColour = '${value}' AND WorkflowType = 'tagged' AND ExecutionStatus = 'Completed'`;
  await b.eventually('list', [run.workflowId], () => listed(b, query));
  b.expect('count', (await b.client.workflow.count(query)).count, 1);
  await b.eventually('a null attribute', [run.workflowId], () =>
    listed(b, `ParityColour = '${value}' AND ParitySize IS NULL`),
  );
  return 'listed by its attribute, counted, memo merged';
}

async function listWorkflows(b: Bench): Promise<string> {
  const ids = [];
  for (const type of ['echo', 'echo', 'fails']) {
    const run = await b.start(type, ['x']);
    await run.result().catch(() => undefined);
    ids.push(run.workflowId);
  }
  const query = `WorkflowId STARTS_WITH '${b.name}' AND TaskQueue = '${b.queue}'`;
  await b.eventually('list', [...ids].sort(), () => listed(b, query, 1));
  const groups = (await b.client.workflow.count(`${query} GROUP BY ExecutionStatus`)).groups
    .map(({ count, groupValues }) => `${groupValues} ${count}`)
    .sort();
  b.expect('groups', groups, ['Completed 2', 'Failed 1']);
  const lengths = [];
  for await (const { history } of b.client.workflow.list({ query }).intoHistories())
    lengths.push((history as History).events?.length);
  b.expect('histories', lengths, [5, 5, 5]);
  await b.refuses(
    'unknown attribute',
    grpc.INVALID_ARGUMENT,
    'invalid query',
    b.client.workflow.count('NoSuchAttribute = 1'),
  );
  return 'three, in pages of one, counted in groups, with their histories';
}

async function describe(b: Bench): Promise<string> {
  const run = await b.start('answeredLater');
  await b.eventually(
    'started',
    true,
    async () =>
      tokens.has(run.workflowId) && (await run.describe()).raw.pendingActivities?.[0]?.lastStartedTime != null,
  );
  await b.client.activity.heartbeat({ workflowId: run.workflowId, activityId: 'later' }, 'on its way');
  const open = await run.describe();
  const [pending] = open.raw.pendingActivities!;
  b.expect(
    'running',
    [open.status.name, open.type, open.taskQueue, open.runId, open.historyLength > 3],
    ['RUNNING', 'answeredLater', b.queue, run.firstExecutionRunId, true],
  );
  b.expect(
    'pending activity',
    [
      pending.activityId,
      pending.activityType?.name,
      pending.attempt,
      pending.maximumAttempts,
      String(Buffer.from(pending.heartbeatDetails?.payloads?.[0]?.data ?? [])),
    ],
    ['later', 'answerLater', 1, 1, '"on its way"'],
  );
  await b.client.activity.complete(tokens.get(run.workflowId)!, 'now');
  await run.result();
  const closed = await run.describe();
  b.expect('closed', [closed.status.name, closed.historyLength], ['COMPLETED', (await b.events(run)).length]);
  if (closed.closeTime! < closed.startTime || (closed.historySize ?? 0) < 100) {
    b.fail(`started ${closed.startTime}, closed ${closed.closeTime}, ${closed.historySize} bytes`);
  }
  await b.failsAs('nobody', WorkflowNotFoundError, '', b.run(b.newId()).describe());
  return `running with a pending activity, then closed after ${closed.historyLength} events`;
}

// Follows a run's history as it grows.
async function follow(b: Bench, workflowId: string, closing: boolean, seen: string[]): Promise<void> {
  const { HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT, HISTORY_EVENT_FILTER_TYPE_ALL_EVENT } =
    temporal.api.enums.v1.HistoryEventFilterType;
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await b.service.getWorkflowExecutionHistory({
      namespace: 'default',
      execution: { workflowId },
      waitNewEvent: true,
      nextPageToken,
      historyEventFilterType: closing ? HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT : HISTORY_EVENT_FILTER_TYPE_ALL_EVENT,
    });
    seen.push(...(page.history?.events ?? []).map(eventName));
    ({ nextPageToken } = page);
  } while (nextPageToken && nextPageToken.length > 0);
}

// A reader that waits for new events sees each of them once, and the last one ends it.
async function historyLongPoll(b: Bench): Promise<string> {
  const run = await b.start('messages');
  const seen: string[] = [];
  const closing: string[] = [];
  const readers = [follow(b, run.workflowId, false, seen), follow(b, run.workflowId, true, closing)];
  await b.eventually('first task', true, async () => seen.includes('WorkflowTaskCompleted'));
  await run.signal('add', 'a');
  await b.eventually('signal', true, async () => seen.includes('WorkflowExecutionSignaled'));
  await run.signal('end');
  await Promise.all(readers);
  b.expect('events', seen, await b.events(run));
  b.expect('closing event', closing, ['WorkflowExecutionCompleted']);
  return `${seen.length} events as they came, and the closing one alone`;
}

// Results wait in long polls, many at a time.
async function manyResults(b: Bench): Promise<string> {
  const run = await b.start('messages');
  const waiting = Array.from({ length: 20 }, () => b.run(run.workflowId).result());
  await b.pause();
  await run.signal('end');
  b.expect('results', await Promise.all(waiting), Array(20).fill([]));
  const many = await Promise.all(Array.from({ length: 30 }, (_, i) => b.start('echo', [String(i)])));
  b.expect(
    'many runs',
    await Promise.all(many.map((each) => each.result())),
    many.map((_, i) => String(i)),
  );
  return 'twenty waited for one run, thirty runs at once';
}

export const serviceScenarios: Record<string, Scenario> = {
  search_attributes_and_memo: searchAttributesAndMemo,
  list_workflows: listWorkflows,
  describe,
  history_long_poll: historyLongPoll,
  many_results: manyResults,
};
