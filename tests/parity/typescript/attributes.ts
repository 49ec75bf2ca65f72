// The custom search attributes, one of each type.
import { status as grpc } from '@grpc/grpc-js';
import { defineSearchAttributeKey } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import type { Bench } from './judge';

export const ATTRIBUTES = {
  colour: defineSearchAttributeKey('ParityColour', 'KEYWORD'),
  size: defineSearchAttributeKey('ParitySize', 'INT'),
  weight: defineSearchAttributeKey('ParityWeight', 'DOUBLE'),
  fresh: defineSearchAttributeKey('ParityFresh', 'BOOL'),
  when: defineSearchAttributeKey('ParityWhen', 'DATETIME'),
  tags: defineSearchAttributeKey('ParityTags', 'KEYWORD_LIST'),
  story: defineSearchAttributeKey('ParityStory', 'TEXT'),
};

// Registers them, and waits until the server knows them.
export async function addAttributes(b: Bench): Promise<void> {
  const types = temporal.api.enums.v1.IndexedValueType;
  const searchAttributes = Object.fromEntries(
    Object.values(ATTRIBUTES).map(({ name, type }) => [name, types[`INDEXED_VALUE_TYPE_${type}`]]),
  );
  const { operatorService } = b.shared.connection;
  try {
    await operatorService.addSearchAttributes({ namespace: 'default', searchAttributes });
  } catch (error) {
    if ((error as { code?: number }).code !== grpc.ALREADY_EXISTS) throw error;
  }
  await b.eventually('custom attributes', Object.keys(searchAttributes).sort(), async () => {
    const { customAttributes } = await operatorService.listSearchAttributes({ namespace: 'default' });
    return Object.keys(customAttributes ?? {})
      .filter((name) => name in searchAttributes)
      .sort();
  });
}
