// Bundles the workflows beside the compiled program, once plain and once for a codec that also hides failures.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

export const PLAIN = join(__dirname, 'plain.bundle.js');
export const HIDDEN = join(__dirname, 'hidden.bundle.js');

async function bundle(file: string, converters: { failureConverterPath?: string }): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: require.resolve('./workflows'),
    workflowInterceptorModules: [require.resolve('./traced_workflows')],
    logger: new DefaultLogger('ERROR'),
    ...converters,
  });
  writeFileSync(file, code);
}

async function main(): Promise<void> {
  await bundle(PLAIN, {});
  await bundle(HIDDEN, { failureConverterPath: require.resolve('./failure_converter') });
}

if (require.main === module) void main();
