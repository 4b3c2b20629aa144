import { Button, Checkbox, Group, SegmentedControl, Select, Text } from '@mantine/core';
import { IconUsersGroup } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Enrolment, SequenceStep } from '../api/types';
import { ToneBadge } from '../calls/StateBadge';
import { useMailboxes } from '../settings/mail';
import { attempt, notifyDone, notifyFailure } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { dueWords, moment } from '../ui/time';
import {
  type Deed,
  type EnrolmentState,
  useChangeEnrolments,
  useEnrolment,
  useEnrolments,
  useRedirectEnrolment,
} from './queries';
import classes from './Sequences.module.css';
import { ENROLMENT_STATES, KINDS } from './words';

const STATES = [
  { value: 'all', label: 'All' },
  { value: 'active', label: 'Active' },
  { value: 'paused', label: 'Paused' },
  { value: 'finished', label: 'Finished' },
  { value: 'stopped', label: 'Stopped' },
  { value: 'failed', label: 'Failed' },
];

const DEEDS: { value: Deed; label: string }[] = [
  { value: 'pause', label: 'Pause' },
  { value: 'resume', label: 'Go on' },
  { value: 'skip', label: 'Skip the next step' },
  { value: 'stop', label: 'Take out' },
];

/** How somebody stands, in a sentence. */
export function standing(enrolment: Enrolment): string {
  const { step, due_at } = enrolment;
  if (enrolment.state === 'active' && step && due_at) {
    return `Step ${step.position}, ${KINDS[step.kind].toLowerCase()}, ${dueWords(due_at)}`;
  }
  const back = enrolment.resume_at ? ` Goes on ${dueWords(enrolment.resume_at)}.` : '';
  return (enrolment.words || ENROLMENT_STATES[enrolment.state][0]) + back;
}

/** Another step to go on at, another mailbox to write from. */
function Redirect({ enrolment, steps }: { enrolment: Enrolment; steps: SequenceStep[] }) {
  const mailboxes = (useMailboxes().data?.data ?? []).filter((each) => each.state !== 'disconnected');
  const redirect = useRedirectEnrolment();
  if (enrolment.state !== 'active' && enrolment.state !== 'paused') return null;
  return (
    <Group gap="xs" pl={50} pb="sm">
      <Select
        size="xs"
        w={200}
        aria-label="Go on at"
        placeholder="Go on at another step"
        disabled={redirect.isPending}
        data={steps.map((step) => ({
          value: String(step.position),
          label: `${step.position}. ${KINDS[step.kind]}`,
        }))}
        value={enrolment.step ? String(enrolment.step.position) : null}
        onChange={(position) =>
          position &&
          attempt(
            redirect.mutateAsync({ id: enrolment.id, position: Number(position) }),
            'They stay where they are',
          )
        }
      />
      <Select
        size="xs"
        w={230}
        aria-label="Write from"
        placeholder="Write from"
        disabled={redirect.isPending}
        data={mailboxes.map((each) => ({ value: each.id, label: each.address }))}
        value={enrolment.mailbox?.id ?? null}
        onChange={(mailbox_id) =>
          mailbox_id &&
          attempt(redirect.mutateAsync({ id: enrolment.id, mailbox_id }), 'The mailbox did not change')
        }
      />
    </Group>
  );
}

function Runs({ id }: { id: string }) {
  const query = useEnrolment(id);
  if (query.isPending) return <Loading rows={2} />;
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const { runs, explanation } = query.data;
  return (
    <ol className={classes.runs} aria-label="Steps taken">
      {runs.map((run) => (
        <li key={run.step.id}>
          <span>
            {run.step.position}. {KINDS[run.step.kind]}
            {run.variant && ` ${run.variant.label}`}
          </span>
          <span className="tabular muted">{moment(run.done_at ?? run.slot_at)}</span>
          <span>
            {run.words || (run.state === 'done' ? 'Done' : run.state === 'planned' ? 'Planned' : run.state)}
            {run.explanation.length > 0 && (
              <span className="muted"> {run.explanation.map((each) => each.words).join(' ')}</span>
            )}
          </span>
        </li>
      ))}
      {explanation.length > 0 && !runs.some((run) => run.state === 'planned') && (
        <li className={classes.why}>{explanation.map((each) => each.words).join(' ')}</li>
      )}
    </ol>
  );
}

/** Who is and was in a sequence, why they wait, and what one may do about it. */
export function EnrolmentsPanel({ sequenceId, steps }: { sequenceId: string; steps: SequenceStep[] }) {
  const [state, setState] = useState('all');
  const query = useEnrolments(sequenceId, state === 'all' ? null : (state as EnrolmentState));
  const change = useChangeEnrolments();
  const [chosen, setChosen] = useState<Set<string>>(new Set());
  const [open, setOpen] = useState<string | null>(null);
  const list = query.data?.pages.flatMap((page) => page.data) ?? [];
  const toggle = (id: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const run = (action: Deed) =>
    attempt(change.mutateAsync({ ids: [...chosen], action, reason: '' }), 'Nothing changed', (done) => {
      setChosen(new Set());
      const [first] = done.refused;
      if (first) notifyFailure(`${done.refused.length} were left as they are`, new Error(first.why));
      if (done.changed > 0) notifyDone(`${done.changed} changed`);
    });
  return (
    <Panel
      title="Contacts"
      aside={
        <SegmentedControl
          size="xs"
          aria-label="Which contacts"
          data={STATES}
          value={state}
          onChange={setState}
        />
      }
    >
      {chosen.size > 0 && (
        <Group gap="xs" p="sm" role="group" aria-label="With those chosen">
          <Text size="sm">{chosen.size} chosen</Text>
          {DEEDS.map((deed) => (
            <Button
              key={deed.value}
              size="compact-sm"
              variant="default"
              loading={change.isPending}
              onClick={() => run(deed.value)}
            >
              {deed.label}
            </Button>
          ))}
        </Group>
      )}
      {query.isPending && <Loading rows={5} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && list.length === 0 && (
        <Empty icon={<IconUsersGroup size={20} />} title="Nobody here">
          Play the days ahead first, then enrol from there.
        </Empty>
      )}
      <ul className={classes.list} aria-label="Contacts of the sequence">
        {list.map((each) => {
          const [word, tone] = ENROLMENT_STATES[each.state];
          return (
            <li key={each.id}>
              <div className={classes.line}>
                <Checkbox
                  aria-label={`Choose ${each.contact.name}`}
                  checked={chosen.has(each.id)}
                  onChange={() => toggle(each.id)}
                />
                <div className={classes.grow}>
                  <Link to={`/contacts/${each.contact.id}`}>{each.contact.name}</Link>
                  <Text size="xs" className="muted">
                    {standing(each)}
                    {each.mailbox && ` · from ${each.mailbox.address}`}
                  </Text>
                </div>
                <ToneBadge tone={each.goal_at ? 'good' : tone}>
                  {each.goal_at ? 'Goal reached' : word}
                </ToneBadge>
                <Button
                  size="compact-xs"
                  variant="subtle"
                  color="gray"
                  aria-expanded={open === each.id}
                  aria-label={`Steps of ${each.contact.name}`}
                  onClick={() => setOpen(open === each.id ? null : each.id)}
                >
                  Steps
                </Button>
              </div>
              {open === each.id && (
                <>
                  <Runs id={each.id} />
                  <Redirect enrolment={each} steps={steps} />
                </>
              )}
            </li>
          );
        })}
      </ul>
      {query.hasNextPage && (
        <Button
          variant="subtle"
          m="sm"
          loading={query.isFetchingNextPage}
          onClick={() => query.fetchNextPage()}
        >
          Show more
        </Button>
      )}
    </Panel>
  );
}
