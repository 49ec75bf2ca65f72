// The official TypeScript SDK's test environments on our program, in place of the official test and dev servers: prints
// ok, or why not.
//
//   node lib/environments.js PROGRAM
import { strict as assert } from 'node:assert';
import { WorkflowFailedError } from '@temporalio/client';
import { SearchAttributeType, TimeoutFailure, defineSearchAttributeKey } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import * as activities from './activities';
import { PLAIN } from './bundle';
import { naps, skipped } from './environment_workflows';

const DAY_MS = 24 * 3600 * 1000;
const QUEUE = 'environments';

async function withWorker(env: TestWorkflowEnvironment, play: () => Promise<void>): Promise<void> {
  const { nativeConnection: connection, namespace } = env;
  const options = { taskQueue: QUEUE, workflowBundle: { codePath: PLAIN }, activities };
  await (await Worker.create({ connection, namespace, ...options })).runUntil(play());
}

async function skips(env: TestWorkflowEnvironment): Promise<void> {
  const start = { taskQueue: QUEUE };
  const begin = await env.currentTimeMs();
  const took = await env.client.workflow.execute(skipped, { workflowId: 'year', args: [300], ...start });
  assert(took >= 360 * DAY_MS, `a year took ${took} ms`);
  assert((await env.currentTimeMs()) - begin >= 360 * DAY_MS, 'the clock of the environment did not skip');

  const before = await env.currentTimeMs();
  await env.sleep('30 days');
  const slept = (await env.currentTimeMs()) - before;
  assert(slept >= 30 * DAY_MS && slept < 31 * DAY_MS, `a sleep of 30 days took ${slept} ms`);

  const late = env.client.workflow.execute(naps, { workflowId: 'late', workflowRunTimeout: '12 hours', ...start });
  await assert.rejects(late, (e) => e instanceof WorkflowFailedError && e.cause instanceof TimeoutFailure);

  // Nobody awaits this one: time stays where it is until somebody does.
  const nap = await env.client.workflow.start(naps, { workflowId: 'nap', ...start });
  assert.equal((await nap.describe()).status.name, 'RUNNING');
  assert.equal(await nap.result(), 'rested');
}

async function keepsRealTime(env: TestWorkflowEnvironment): Promise<void> {
  const start = { taskQueue: QUEUE, workflowId: 'nap' };
  const colour = defineSearchAttributeKey('EnvironmentColour', SearchAttributeType.KEYWORD);
  const options = { ...start, typedSearchAttributes: [{ key: colour, value: 'red' }] };
  const nap = await env.client.workflow.start(naps, options);
  assert.equal((await nap.describe()).typedSearchAttributes.get(colour), 'red');
  assert.equal((await env.client.workflow.count("EnvironmentColour = 'red'")).count, 1);
  await nap.terminate();
  const unlike = Math.abs((await env.currentTimeMs()) - Date.now());
  assert(unlike < 60_000, `the clocks differ by ${unlike} ms`);
}

async function main(program: string): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const executable = { type: 'existing-path', path: program } as const;

  const skipping = await TestWorkflowEnvironment.createTimeSkipping({ server: { executable } });
  try {
    await withWorker(skipping, () => skips(skipping));
  } finally {
    await skipping.teardown();
  }

  const searchAttributes = [{ name: 'EnvironmentColour', type: SearchAttributeType.KEYWORD }];
  const local = await TestWorkflowEnvironment.createLocal({
    server: { executable, namespace: 'environments', searchAttributes, log: { format: 'json', level: 'error' } },
  });
  try {
    assert.equal(local.namespace, 'environments');
    await withWorker(local, () => keepsRealTime(local));
  } finally {
    await local.teardown();
  }
  console.log('ok');
}

main(process.argv[2]).then(
  () => process.exit(0),
  (error) => {
    console.error('environments:', error);
    process.exit(1);
  },
);
