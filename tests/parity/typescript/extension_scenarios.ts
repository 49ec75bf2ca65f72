// What users put between themselves and the server: codecs and interceptors.
import { Client, type WorkflowClientInterceptor } from '@temporalio/client';
import { WorkflowFailedError } from '@temporalio/client';
import {
  ApplicationFailure,
  defaultPayloadConverter,
  type Headers,
  type Payload,
  type PayloadCodec,
} from '@temporalio/common';
import { randomUUID } from 'node:crypto';
import { HIDDEN } from './bundle';
import type { Bench, Scenario } from './judge';
import { TRACE_HEADER } from './traced_workflows';

const HIDDEN_ENCODING = 'binary/parity';
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

// Turns every byte round; what it made is told by its encoding.
class TurningCodec implements PayloadCodec {
  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => ({
      metadata: { encoding: text(HIDDEN_ENCODING), original: payload.metadata?.encoding ?? text('') },
      data: (payload.data ?? new Uint8Array()).map((byte) => byte ^ 0xff),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) =>
      String(Buffer.from(payload.metadata?.encoding ?? [])) !== HIDDEN_ENCODING
        ? payload
        : {
            metadata: { encoding: payload.metadata!.original },
            data: (payload.data ?? new Uint8Array()).map((byte) => byte ^ 0xff),
          },
    );
  }
}

// Nothing that the user wrote is readable in what the server keeps.
async function codec(b: Bench): Promise<string> {
  const dataConverter = {
    payloadCodecs: [new TurningCodec()],
    failureConverterPath: require.resolve('./failure_converter'),
  };
  const client = new Client({ connection: b.shared.connection, dataConverter });
  const taskQueue = b.newId();
  return await b.withWorker(taskQueue, { dataConverter, workflowBundle: { codePath: HIDDEN } }, async () => {
    const workflowId = b.newId();
    const options = { taskQueue, memo: { note: 'secret' }, staticSummary: 'secret' };
    const run = await client.workflow.start('messages', { ...options, workflowId, args: [] });
    await run.signal('add', 'secret');
    b.expect('update', await run.executeUpdate('appendEcho', { args: ['secret too'] }), 'secret too');
    b.expect('query', await run.query('text', '+'), 'secret+secret too');
    await run.signal('end');
    b.expect('result', await run.result(), ['secret', 'secret too']);
    const description = await run.describe();
    b.expect('memo and summary', [description.memo, await description.staticSummary()], [{ note: 'secret' }, 'secret']);
    const broken = await client.workflow.start('declined', { ...options, workflowId: b.newId(), args: ['secret'] });
    b.contains('failure', String(await broken.result()), 'CardDeclined/card declined/secret/42/true <- BankError');
    const failing = await client.workflow.start('fails', { ...options, workflowId: b.newId(), args: ['secret'] });
    const failure = await b.failsAs('failing', WorkflowFailedError, 'secret', failing.result());
    b.expect('details', (failure.cause as ApplicationFailure).details, ['detail', 7]);
    for (const id of [workflowId, broken.workflowId, failing.workflowId]) {
      const kept = Buffer.from(
        JSON.stringify(await b.history(id), (_, value) =>
          value?.type === 'Buffer' ? String(Buffer.from(value.data)) : value,
        ),
      ).toString();
      for (const word of ['secret', 'card declined', 'the bank', 'the root']) {
        if (kept.includes(word)) b.fail(`"${word}" is readable in the history of ${id}`);
      }
    }
    return 'arguments, results, memo, summary, failures: read by the client, hidden in the history';
  });
}

function tracing(trace: string): WorkflowClientInterceptor {
  const headers = (earlier: Headers): Headers => ({
    ...earlier,
    [TRACE_HEADER]: defaultPayloadConverter.toPayload(trace)!,
  });
  return {
    startWithDetails: (input, next) => next({ ...input, headers: headers(input.headers) }),
    signal: (input, next) => next({ ...input, headers: headers(input.headers) }),
    query: (input, next) => next({ ...input, headers: headers(input.headers) }),
    startUpdate: (input, next) => next({ ...input, headers: headers(input.headers) }),
    signalWithStart: (input, next) => next({ ...input, headers: headers(input.headers) }),
  };
}

async function interceptors(b: Bench): Promise<string> {
  const client = new Client({ connection: b.shared.connection, interceptors: { workflow: [tracing('t')] } });
  const activity = () => ({
    inbound: {
      async execute(input: { headers: Headers }) {
        const payload = input.headers[TRACE_HEADER];
        return payload === undefined ? 'nothing' : `activity ${defaultPayloadConverter.fromPayload(payload)}`;
      },
    },
  });
  const options = { interceptors: { activity: [activity] }, activities: { tracedActivity: async () => 'unseen' } };
  const taskQueue = b.newId();
  return await b.withWorker(taskQueue, options, async () => {
    const other = await client.workflow.signalWithStart('messages', {
      taskQueue,
      workflowId: b.newId(),
      args: [],
      signal: 'add',
      signalArgs: ['begin'],
    });
    const run = await client.workflow.start('traced', { taskQueue, workflowId: b.newId(), args: [other.workflowId] });
    b.keep(run.workflowId, run.firstExecutionRunId);
    await run.executeUpdate('touch');
    b.expect('query', await run.query('asked'), 'query t');
    await run.signal('end');
    b.expect('heard', await run.result(), [
      'execute t',
      'validate touch t',
      'update touch t',
      'signal end t',
      'activity t>activity',
      'activity t>local',
      'execute t>child',
      'execute t>again',
    ]);
    b.expect('the other one', await other.result(), ['begin']);
    const signals = (await b.history(other.workflowId)).flatMap(
      (e) => e.workflowExecutionSignaledEventAttributes ?? [],
    );
    b.expect(
      'signals',
      signals.map(({ signalName, header }) => [
        signalName,
        header?.fields?.[TRACE_HEADER] && defaultPayloadConverter.fromPayload(header.fields[TRACE_HEADER]),
      ]),
      [
        ['add', 't'],
        ['end', 't>signal'],
      ],
    );
    return 'a header went with starts, signals, queries, updates, activities, children and new runs';
  });
}

// Payloads that are large, empty, or of bytes arrive as they were.
async function payloads(b: Bench): Promise<string> {
  const large = randomUUID().repeat(10_000);
  b.expect('large', await (await b.start('echo', [large])).result(), large);
  b.expect('null', await (await b.start('echo', [null])).result(), null);
  b.expect('nothing', (await (await b.start('echo', [undefined])).result()) ?? null, null);
  const bytes = new Uint8Array([0, 255, 10]);
  b.expect('bytes', Buffer.from((await (await b.start('echo', [bytes])).result()) as Uint8Array), Buffer.from(bytes));
  const nested = { text: 'é😀', list: [1, { deep: null }] };
  b.expect('nested', await (await b.start('echo', [nested])).result(), nested);
  return '360 kB, null, nothing, bytes, nested';
}

export const extensionScenarios: Record<string, Scenario> = { codec, interceptors, payloads };
