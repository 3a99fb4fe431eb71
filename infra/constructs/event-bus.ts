import { Duration } from 'aws-cdk-lib';
import { Archive, EventBus } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';

/** The bus that every fact is published on, and an archive of a year to replay from. */
export class CommerceBus extends Construct {
  readonly bus: EventBus;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.bus = new EventBus(this, 'Bus', { description: 'Inventory, order, fulfilment, payment and loyalty events' });
    new Archive(this, 'Archive', {
      sourceEventBus: this.bus,
      retention: Duration.days(365),
      eventPattern: { source: [{ prefix: 'ieum.' }] as unknown as string[] },
    });
  }
}
