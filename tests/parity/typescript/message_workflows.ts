import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  getExternalWorkflowHandle,
  setDefaultQueryHandler,
  setDefaultSignalHandler,
  setDefaultUpdateHandler,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { HandlerUnfinishedPolicy } from '@temporalio/common';
import { describeFailure, echoActivity } from './workflow_parts';

// Takes signals, queries and updates until it is told to end.
export async function messages(): Promise<string[]> {
  const words: string[] = [];
  let ended = false;
  setHandler(defineQuery<string, [string]>('text'), (separator) => words.join(separator));
  setHandler(defineQuery<string>('broken'), () => {
    throw new Error('this query always fails');
  });
  setUpdates(words, () => ended);
  setHandler(defineSignal<[string]>('add'), (word) => void words.push(word));
  setHandler(defineSignal<[string, number]>('addTimes'), (word, times) => void words.push(...Array(times).fill(word)));
  setHandler(defineSignal('end'), () => void (ended = true));
  await condition(() => ended && allHandlersFinished());
  return words;
}

function setUpdates(words: string[], ended: () => boolean): void {
  setHandler(defineUpdate<number, [string]>('append'), (word) => words.push(word), {
    validator: (word) => {
      if (word === '') throw ApplicationFailure.retryable('an empty word', 'EmptyWord');
    },
  });
  setHandler(defineUpdate<string, [string]>('appendEcho'), async (word) => {
    words.push(await echoActivity(word));
    return words.at(-1)!;
  });
  setHandler(defineUpdate<void>('failLater'), async () => {
    await sleep(10);
    throw ApplicationFailure.retryable('accepted, then failed', 'TooLate');
  });
  setHandler(defineUpdate<string>('waitForEnd'), async () => {
    await condition(ended);
    return 'ended';
  });
}

// Ends without its unfinished update.
export async function leavesUpdate(): Promise<void> {
  let accepted = false;
  setHandler(
    defineUpdate<void>('never'),
    async () => {
      accepted = true;
      await condition(() => false);
    },
    { unfinishedPolicy: HandlerUnfinishedPolicy.ABANDON },
  );
  await condition(() => accepted);
}

// Answers whatever it is asked, by the names that others made up.
export async function dynamic(): Promise<string[]> {
  const heard: string[] = [];
  setDefaultSignalHandler((name, ...args) => void heard.push(`${name}(${args})`));
  setDefaultQueryHandler((name, ...args) => `${name}(${args}) after ${heard}`);
  setDefaultUpdateHandler((name, ...args) => heard.push(`${name}(${args})`));
  await condition(() => heard.includes('end()'));
  return heard;
}

// Signals and cancels another workflow, and tries both with one that is not there.
export async function caller(other: string): Promise<string> {
  const target = getExternalWorkflowHandle(other);
  await target.signal('add', 'from outside');
  await target.cancel();
  const nobody = getExternalWorkflowHandle(`${other}-missing`);
  const lost: string[] = [];
  for (const call of [nobody.signal('add', 'lost'), nobody.cancel()]) {
    try {
      await call;
    } catch (failure) {
      lost.push((failure as Error).message.split(':')[0], describeFailure(failure).split('/')[0]);
    }
  }
  return lost.join(', ');
}

// The signal to a workflow that never comes is cancelled before it is sent.
export async function cancelsSignal(): Promise<string> {
  const scope = new CancellationScope();
  const sending = scope.run(() => getExternalWorkflowHandle('nobody').signal('add', 'lost'));
  scope.cancel();
  try {
    await sending;
    return 'sent';
  } catch (failure) {
    return (failure as Error).name;
  }
}
