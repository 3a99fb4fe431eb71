/** A process of its own for the crash test: starts an execution, says what it handed out, and waits to be killed. */
import { openJournal } from '../../../infra/local/journal.ts';
import { createWorkflows } from '../../../infra/local/workflows.ts';

const [dataDir = '', machine = '', definition = ''] = process.argv.slice(2);
const say = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);
const workflows = createWorkflows({
  journal: openJournal(dataDir),
  machines: [{ id: 'Fulfilment', arn: machine, properties: { DefinitionString: definition } }],
  functions: {
    async invoke(_, event) {
      say(event as object);
    },
  },
});
workflows.resume();
try {
  workflows.startExecution({ stateMachineArn: machine, name: 'o-1', input: '{"order":"o-1"}' });
} catch (error) {
  say({ refused: (error as Error).name });
}
await workflows.idle();
process.stdin.setEncoding('utf8').on('data', (line: string) => {
  workflows.sendTaskSuccess({ taskToken: line.trim(), output: '{"answer":"ACCEPTED"}' });
  say({ acknowledged: line.trim() });
  // As a crash between the acknowledgement and its effect: nothing else runs in this process any more.
  process.kill(process.pid, 'SIGKILL');
});
say({ waiting: workflows.describe(workflows.list()[0]!.executionArn).status });
