// Headers: interceptors carry a trace from the client to all that a workflow calls.
import {
  condition,
  defaultPayloadConverter,
  defineQuery,
  defineSignal,
  defineUpdate,
  executeChild,
  getExternalWorkflowHandle,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  type Headers,
  type WorkflowInterceptors,
} from '@temporalio/workflow';

export const TRACE_HEADER = 'parity-trace';

// Of this run: each run has this module for itself.
const heard: string[] = [];
let trace: string | undefined;

function read(what: string, headers: Headers): void {
  const payload = headers[TRACE_HEADER];
  if (payload !== undefined) heard.push(`${what} ${defaultPayloadConverter.fromPayload(payload)}`);
}

function carried(headers: Headers, step: string): Headers {
  if (trace === undefined) return headers;
  return { ...headers, [TRACE_HEADER]: defaultPayloadConverter.toPayload(`${trace}>${step}`)! };
}

export function interceptors(): WorkflowInterceptors {
  return {
    inbound: [
      {
        async execute(input, next) {
          const payload = input.headers[TRACE_HEADER];
          if (payload !== undefined) trace = defaultPayloadConverter.fromPayload(payload);
          read('execute', input.headers);
          return await next(input);
        },
        async handleSignal(input, next) {
          read(`signal ${input.signalName}`, input.headers);
          await next(input);
        },
        validateUpdate(input, next) {
          read(`validate ${input.name}`, input.headers);
          next(input);
        },
        async handleUpdate(input, next) {
          read(`update ${input.name}`, input.headers);
          return await next(input);
        },
        async handleQuery(input, next) {
          const payload = input.headers[TRACE_HEADER];
          const asked = payload === undefined ? [] : [`query ${defaultPayloadConverter.fromPayload(payload)}`];
          return await next({ ...input, args: [...input.args, ...asked] });
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next({ ...input, headers: carried(input.headers, 'activity') }),
        scheduleLocalActivity: (input, next) => next({ ...input, headers: carried(input.headers, 'local') }),
        startChildWorkflowExecution: (input, next) => next({ ...input, headers: carried(input.headers, 'child') }),
        signalWorkflow: (input, next) => next({ ...input, headers: carried(input.headers, 'signal') }),
        continueAsNew: (input, next) => next({ ...input, headers: carried(input.headers, 'again') }),
      },
    ],
  };
}

interface TracedActivities {
  tracedActivity(): Promise<string>;
}

// Calls everything that carries headers, and returns what arrived where.
export async function traced(other: string): Promise<string[]> {
  let ended = false;
  setHandler(defineSignal('end'), () => void (ended = true));
  setHandler(defineUpdate('touch'), () => heard.length, { validator: () => undefined });
  setHandler(defineQuery<string, string[]>('asked'), (...asked) => asked.join());
  await condition(() => ended);
  const times = { startToCloseTimeout: '20s' } as const;
  heard.push(await proxyActivities<TracedActivities>(times).tracedActivity());
  heard.push(await proxyLocalActivities<TracedActivities>(times).tracedActivity());
  heard.push(...(await executeChild(tracedChild)));
  await getExternalWorkflowHandle(other).signal('end');
  return await makeContinueAsNewFunc<typeof tracedAgain>({ workflowType: 'tracedAgain' })(heard);
}

export async function tracedChild(): Promise<string[]> {
  return heard;
}

export async function tracedAgain(earlier: string[]): Promise<string[]> {
  return [...earlier, ...heard];
}
