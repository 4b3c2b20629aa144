import { Text } from '@mantine/core';
import type { SequenceResults } from '../api/types';
import { words } from '../contacts/naming';
import { Age } from '../ui/Age';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import { useResults } from './queries';
import classes from './Sequences.module.css';
import { KINDS, percent } from './words';

type Rate = SequenceResults['steps'][number]['variants'][number]['replied'];

/** A share with how sure one may be of it. */
function Share({ rate }: { rate: Rate }) {
  if (rate.of === 0) return <span className="muted">–</span>;
  return (
    <span title={`${rate.count} of ${rate.of}; between ${percent(rate.low)} and ${percent(rate.high)}`}>
      {percent(rate.share)}{' '}
      <span className="muted">
        {percent(rate.low)}–{percent(rate.high)}
      </span>
    </span>
  );
}

/** What became of a sequence: by step and wording, with intervals instead of promises. */
export function ResultsPanel({ sequenceId }: { sequenceId: string }) {
  const query = useResults(sequenceId);
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const results = query.data;
  if (!results) return null;
  const { counts } = results;
  return (
    <>
      <Panel title="Contacts" aside={<Age polled updatedAt={query.dataUpdatedAt} />}>
        <dl className={classes.counts}>
          {Object.entries(counts).map(([name, count]) => (
            <div key={name}>
              <dt>{words(name)}</dt>
              <dd className="tabular">{count.toLocaleString()}</dd>
            </div>
          ))}
        </dl>
        {Object.keys(results.reasons).length > 0 && (
          <Text size="sm" className="muted" px="md" pb="md">
            Ended:{' '}
            {Object.entries(results.reasons)
              .map(([reason, count]) => `${words(reason).toLowerCase()} ${count}`)
              .join(', ')}
          </Text>
        )}
      </Panel>
      {results.steps.map((step) => (
        <Panel key={step.step.id} title={`${step.step.position}. ${KINDS[step.step.kind]}`}>
          <div className={classes.editor}>
            <Text size="sm">
              {step.done} done, {step.skipped} skipped, {step.failed} failed, {step.canceled} canceled
            </Text>
            {step.variants.length > 0 && (
              // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
              <div className={classes.scroll} role="group" aria-label="Wordings" tabIndex={0}>
                <table className={classes.table}>
                  <thead>
                    <tr>
                      <th scope="col">Wording</th>
                      <th scope="col">Sent</th>
                      <th scope="col">Answered</th>
                      <th scope="col">Opened</th>
                      <th scope="col">Clicked</th>
                      <th scope="col">Bounced</th>
                      <th scope="col">Unsubscribed</th>
                    </tr>
                  </thead>
                  <tbody>
                    {step.variants.map((each) => (
                      <tr key={each.variant?.id ?? 'one'}>
                        <td>{each.variant?.label ?? 'A'}</td>
                        <td className="tabular">{each.sent}</td>
                        {[each.replied, each.opened, each.clicked, each.bounced, each.unsubscribed].map(
                          (rate, at) => (
                            <td key={String(at)} className="tabular">
                              <Share rate={rate} />
                            </td>
                          ),
                        )}
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            {step.comparison && step.comparison.state !== 'one_variant' && (
              <Text size="sm" role="status">
                {step.comparison.words}
              </Text>
            )}
          </div>
        </Panel>
      ))}
    </>
  );
}
