import { Button, Group, Text } from '@mantine/core';
import { NavLink } from 'react-router';
import type { Sequence } from '../api/types';
import { isAtLeast, useMe } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import { attempt } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { EnrolmentsPanel } from './EnrolmentsPanel';
import { useDriveSequence } from './queries';
import { ResultsPanel } from './ResultsPanel';
import { RulesForm } from './RulesForm';
import classes from './Sequences.module.css';
import { SimulatePanel } from './SimulatePanel';
import { StepsEditor } from './StepsEditor';
import { SEQUENCE_STATES } from './words';

const PARTS = [
  { at: '', label: 'Steps' },
  { at: 'ahead', label: 'Play and enrol' },
  { at: 'contacts', label: 'Contacts' },
  { at: 'results', label: 'Results' },
  { at: 'rules', label: 'Hours and ends' },
];

/** One sequence: its steps, the days ahead, who is in it, and what came of it. */
export function SequencePanel({ sequence, part }: { sequence: Sequence; part: string }) {
  const me = useMe();
  const drive = useDriveSequence();
  const [word, tone] = SEQUENCE_STATES[sequence.state];
  const mayEdit = isAtLeast(me.role, 'manager') || sequence.owner?.id === me.user.id;
  const run = (what: 'start' | 'pause' | 'archive') =>
    attempt(drive.mutateAsync({ id: sequence.id, what }), 'The sequence did not change');
  return (
    <div className={classes.detail}>
      <header className={classes.detailHead}>
        <Group gap="sm">
          <Text component="h2" fw={650} fz="lg" m={0}>
            {sequence.name}
          </Text>
          <ToneBadge tone={tone}>{word}</ToneBadge>
        </Group>
        {mayEdit && (
          <Group gap="xs">
            {sequence.state === 'active' ? (
              <Button variant="default" loading={drive.isPending} onClick={() => run('pause')}>
                Pause
              </Button>
            ) : (
              sequence.state !== 'archived' && (
                <Button
                  loading={drive.isPending}
                  disabled={sequence.steps.length === 0}
                  onClick={() => run('start')}
                >
                  Start
                </Button>
              )
            )}
            {sequence.state !== 'archived' && sequence.state !== 'active' && (
              <Button variant="subtle" color="gray" onClick={() => run('archive')}>
                Archive
              </Button>
            )}
          </Group>
        )}
      </header>
      <nav className={classes.parts} aria-label="Parts of the sequence">
        {PARTS.map((each) => (
          <NavLink key={each.at} end to={`/sequences/${sequence.id}${each.at && `/${each.at}`}`}>
            {each.label}
          </NavLink>
        ))}
      </nav>
      {part === '' && (
        <Panel title="Steps">
          <StepsEditor key={sequence.id} sequence={sequence} mayEdit={mayEdit} />
        </Panel>
      )}
      {part === 'ahead' && <SimulatePanel key={sequence.id} sequence={sequence} />}
      {part === 'contacts' && (
        <EnrolmentsPanel key={sequence.id} sequenceId={sequence.id} steps={sequence.steps} />
      )}
      {part === 'results' && <ResultsPanel key={sequence.id} sequenceId={sequence.id} />}
      {part === 'rules' && (
        <Panel title="Hours and ends">
          <RulesForm key={`${sequence.id} ${sequence.version}`} sequence={sequence} mayEdit={mayEdit} />
        </Panel>
      )}
    </div>
  );
}
