import { ActivityFailure, proxyActivities, sleep } from '@temporalio/workflow';
import type * as activities from './activities';

const { succeedAt } = proxyActivities<typeof activities>({
  startToCloseTimeout: '1 day',
  retry: { initialInterval: '30 days', maximumInterval: '30 days' },
});

// Sleeps, and has an activity tried again, for so many days and two months; tells how many ms that took on its clock.
export async function skipped(days: number): Promise<number> {
  const begin = Date.now();
  await sleep(days * 24 * 3600 * 1000);
  try {
    await succeedAt(3);
  } catch (failure) {
    throw (failure as ActivityFailure).cause;
  }
  return Date.now() - begin;
}

export async function naps(): Promise<string> {
  await sleep('1 day');
  return 'rested';
}
