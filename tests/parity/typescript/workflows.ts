// The workflows of all scenarios: what the bundle holds. They run in the SDK's sandbox.
export * from './activity_workflows';
export * from './child_workflows';
export * from './environment_workflows';
export * from './lifecycle_workflows';
export * from './message_workflows';
export * from './traced_workflows';
