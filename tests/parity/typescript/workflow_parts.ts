// What several workflows need.
import { ActivityFailure, ApplicationFailure, proxyActivities } from '@temporalio/workflow';
import type * as activities from './activities';

export const FOREVER = '1 hour';

export const { echoActivity } = proxyActivities<typeof activities>({ startToCloseTimeout: '20s' });

// Type, message, details and retryability of a failure and of its causes.
export function describeFailure(failure: unknown): string {
  const chain: string[] = [];
  for (let at = failure; at instanceof Error; at = at.cause) {
    if (at instanceof ApplicationFailure) {
      chain.push([at.type, at.message, ...(at.details ?? []), at.nonRetryable].join('/'));
    } else {
      chain.push(at.name);
    }
  }
  return chain.join(' <- ');
}

// The failure that an activity must end with.
export async function activityFailure(running: Promise<unknown>): Promise<ActivityFailure> {
  try {
    await running;
  } catch (failure) {
    if (failure instanceof ActivityFailure) return failure;
    throw failure;
  }
  throw ApplicationFailure.nonRetryable('the activity did not fail');
}
