// One scenario's view of the server, and what it may demand of it.
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  Client,
  ServiceError,
  type Connection,
  type WorkflowHandle,
  type WorkflowStartOptions,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { Worker, type NativeConnection, type WorkerOptions } from '@temporalio/worker';
import * as activities from './activities';
import { PLAIN } from './bundle';

const SCENARIO_MS = 150_000; // A busy machine's.
const EVENTUALLY_MS = 20_000;
const PAUSE_MS = 50;
// On a busy machine a long replay takes longer than the default of 5 s, and Node.js dies of the interruption. The type of
// the options does not have it.
const UNINTERRUPTED = { isolateExecutionTimeout: '60s' };

export type HistoryEvent = temporal.api.history.v1.IHistoryEvent;
export type Run = { workflowId: string; runId: string };
export type StartOptions = Partial<WorkflowStartOptions<Workflow>>;
export type Scenario = (b: Bench) => Promise<string>;

// What a scenario throws when it saw what the protocol does not promise.
export class Wrong extends Error {}

// What all scenarios share. `runs` are those that they started, for the replay at the end.
export interface Shared {
  connection: Connection;
  native: NativeConnection;
  queue: string;
  runs: Run[];
}

export function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

export class Bench {
  readonly client: Client;

  constructor(
    readonly shared: Shared,
    readonly name: string,
  ) {
    this.client = new Client({ connection: shared.connection });
  }

  get queue(): string {
    return this.shared.queue;
  }

  get service() {
    return this.shared.connection.workflowService;
  }

  newId(): string {
    return `${this.name}-${randomUUID()}`;
  }

  fail(text: string): never {
    throw new Wrong(text);
  }

  expect(what: string, saw: unknown, wanted: unknown): void {
    if (!isDeepStrictEqual(saw, wanted)) this.fail(`${what}: expected ${shown(wanted)}, saw ${shown(saw)}`);
  }

  contains(what: string, text: string, part: string): void {
    if (!text.includes(part)) this.fail(`${what}: expected "${part}" in "${text}"`);
  }

  // For what the server promises only after a while: visibility, the effects of a closed parent.
  async eventually<T>(what: string, wanted: T, read: () => Promise<T>): Promise<void> {
    const end = Date.now() + EVENTUALLY_MS;
    let saw = await read();
    for (; !isDeepStrictEqual(saw, wanted) && Date.now() < end; saw = await read()) await this.pause();
    this.expect(what, saw, wanted);
  }

  async pause(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }

  // Demands an error of a class, with a text in its message or in its cause's.
  async failsAs<E extends Error>(
    what: string,
    kind: abstract new (...args: any[]) => E,
    text: string,
    call: Promise<unknown>,
  ): Promise<E> {
    let failure: unknown;
    try {
      await call;
    } catch (error) {
      failure = error;
    }
    if (!(failure instanceof kind)) {
      const saw = failure instanceof Error ? `${failure.name}: ${failure.message} <- ${failure.cause}` : 'no error';
      this.fail(`${what}: expected ${kind.name}, saw ${saw}`);
    }
    const cause = failure.cause instanceof Error ? failure.cause.message : '';
    this.contains(what, `${failure.message} <- ${cause}`, text);
    return failure;
  }

  // Demands that the service refuses with a gRPC code, or one of some, and returns what it said.
  async refuses(what: string, codes: number | number[], text: string, call: Promise<unknown>): Promise<string> {
    let failure: any;
    try {
      await call;
    } catch (error) {
      failure = error instanceof ServiceError ? error.cause : error;
    }
    const details = String(failure?.details ?? failure);
    if (![codes].flat().includes(failure?.code))
      this.fail(`${what}: expected code ${codes}, saw ${failure?.code}: ${details}`);
    this.contains(what, details, text);
    return details;
  }

  async start<T extends Workflow>(type: T | string, args: unknown[] = [], options: StartOptions = {}) {
    const all = { workflowId: this.newId(), taskQueue: this.queue, args, ...options };
    const handle = await this.client.workflow.start(type as Workflow, all);
    this.keep(handle.workflowId, handle.firstExecutionRunId);
    return handle as typeof handle & WorkflowHandle<T>;
  }

  keep(workflowId: string, runId: string): void {
    this.shared.runs.push({ workflowId, runId });
  }

  // Leaves a run that cannot be replayed out of the replay.
  forget(workflowId: string): void {
    this.shared.runs = this.shared.runs.filter((run) => run.workflowId !== workflowId);
  }

  run(workflowId: string, runId?: string): WorkflowHandle {
    return this.client.workflow.getHandle(workflowId, runId);
  }

  async status(workflowId: string, runId?: string): Promise<string> {
    return (await this.run(workflowId, runId).describe()).status.name;
  }

  async history(workflowId: string, runId?: string): Promise<HistoryEvent[]> {
    return (await this.run(workflowId, runId).fetchHistory()).events ?? [];
  }

  // The types of a run's events whose names contain one of the words; of all without.
  async events(run: WorkflowHandle | Run, ...words: string[]): Promise<string[]> {
    const runId = 'runId' in run ? run.runId : undefined;
    return (await this.history(run.workflowId, runId))
      .map(eventName)
      .filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  }

  // Runs the workflows and activities of all scenarios until the returned function is called.
  async worker(taskQueue: string, options: Partial<WorkerOptions> = {}): Promise<() => Promise<void>> {
    const worker = await Worker.create({
      connection: this.shared.native,
      taskQueue,
      workflowBundle: { codePath: PLAIN },
      activities,
      namespace: 'default',
      maxHeartbeatThrottleInterval: '50ms',
      defaultHeartbeatThrottleInterval: '50ms',
      shutdownForceTime: '30s',
      ...UNINTERRUPTED,
      ...options,
    });
    const running = worker.run();
    return async () => {
      worker.shutdown();
      await running;
    };
  }

  // Does something with a worker of the scenario's own.
  async withWorker<T>(taskQueue: string, options: Partial<WorkerOptions>, play: () => Promise<T>): Promise<T> {
    const stop = await this.worker(taskQueue, options);
    try {
      return await play();
    } finally {
      await stop();
    }
  }
}

export function eventName(event: HistoryEvent): string {
  const name = temporal.api.enums.v1.EventType[event.eventType!].replace('EVENT_TYPE_', '').toLowerCase();
  return name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

// When an event was written, in ms.
export function eventMs(event: HistoryEvent): number {
  return Number(event.eventTime!.seconds) * 1000 + event.eventTime!.nanos! / 1e6;
}

// Runs a scenario; the text is what it saw or what was wrong.
export async function judged(b: Bench, play: Scenario): Promise<{ right: boolean; saw: string }> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Wrong(`no end within ${SCENARIO_MS / 1000} s`)), SCENARIO_MS);
  });
  try {
    return { right: true, saw: await Promise.race([play(b), late]) };
  } catch (error) {
    if (error instanceof Wrong) return { right: false, saw: error.message };
    const { name, message, cause } = error as Error;
    return { right: false, saw: `unexpected ${name}: ${message} <- ${(cause as any)?.details ?? cause ?? ''}` };
  } finally {
    clearTimeout(timer);
  }
}
