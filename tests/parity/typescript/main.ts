// The official TypeScript SDK, worker and client, as the judge of a server: one line per scenario, exit code 0 if all
// are right.
//
//   node lib/main.js --address HOST:PORT [--only NAME,NAME]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime } from '@temporalio/worker';
import { activityScenarios } from './activity_scenarios';
import { childScenarios } from './child_scenarios';
import { extensionScenarios } from './extension_scenarios';
import { Bench, judged, type Scenario, type Shared } from './judge';
import { lifecycleScenarios, replay } from './lifecycle_scenarios';
import { messageScenarios } from './message_scenarios';
import { serviceScenarios } from './service_scenarios';
import { startScenarios } from './start_scenarios';

const AT_ONCE = 8;
const ALL: Record<string, Scenario> = {
  ...startScenarios,
  ...activityScenarios,
  ...messageScenarios,
  ...childScenarios,
  ...lifecycleScenarios,
  ...serviceScenarios,
  ...extensionScenarios,
};

// Plays all scenarios, some at a time, and tells of each in order; returns how many were wrong.
async function playAll(shared: Shared, names: string[]): Promise<number> {
  let wrong = 0;
  const waiting = [...names];
  const verdicts = new Map<string, PromiseWithResolve>(names.map((name) => [name, withResolve()]));
  const slot = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      verdicts.get(name)!.resolve(await judged(new Bench(shared, name), ALL[name]));
    }
  };
  const slots = Array.from({ length: AT_ONCE }, slot);
  for (const name of names) wrong += report(name, await verdicts.get(name)!.promise);
  await Promise.all(slots);
  return wrong;
}

type Verdict = { right: boolean; saw: string };
type PromiseWithResolve = { promise: Promise<Verdict>; resolve: (verdict: Verdict) => void };

function withResolve(): PromiseWithResolve {
  let resolve!: (verdict: Verdict) => void;
  const promise = new Promise<Verdict>((done) => (resolve = done));
  return { promise, resolve };
}

function report(name: string, { right, saw }: Verdict): number {
  console.log(`${right ? 'ok   ' : 'WRONG'} ${name}: ${saw.replaceAll('\n', ' ')}`);
  return right ? 0 : 1;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { address: { type: 'string' }, only: { type: 'string' } } });
  if (values.address === undefined) {
    console.error('parity-typescript: --address HOST:PORT is missing');
    return 2;
  }
  const names = values.only === undefined ? Object.keys(ALL) : values.only.split(',');
  const unknown = names.filter((name) => !(name in ALL));
  if (unknown.length > 0) {
    console.error(`parity-typescript: no such scenario: ${unknown}; there are ${Object.keys(ALL)}`);
    return 2;
  }
  // Failures are what most scenarios are about: their log lines would only hide the verdicts.
  Runtime.install({
    logger: new DefaultLogger('ERROR', () => undefined),
    telemetryOptions: { logging: { filter: 'off', forward: {} } },
  });
  const connection = await Connection.connect({ address: values.address });
  const native = await NativeConnection.connect({ address: values.address });
  const shared: Shared = { connection, native, queue: `parity-typescript-${randomUUID()}`, runs: [] };
  let wrong = 0;
  await new Bench(shared, 'worker').withWorker(shared.queue, {}, async () => {
    wrong = await playAll(shared, names);
  });
  wrong += report('replay', await judged(new Bench(shared, 'replay'), replay));
  console.log(`${names.length + 1 - wrong} right, ${wrong} wrong`);
  return wrong === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error) => {
    console.error('parity-typescript:', error);
    process.exit(2);
  },
);
