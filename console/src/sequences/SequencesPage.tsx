import { Button, Modal, Text, TextInput } from '@mantine/core';
import { IconListNumbers, IconPlus } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { NavLink, useNavigate, useParams } from 'react-router';
import type { Sequence } from '../api/types';
import { May } from '../app/May';
import { ToneBadge } from '../calls/StateBadge';
import { Age } from '../ui/Age';
import { FormFoot } from '../ui/FormFoot';
import { Page } from '../ui/Panel';
import { Empty, Failure, Loading } from '../ui/States';
import { useCreateSequence, useSequence, useSequences } from './queries';
import { SequencePanel } from './SequencePanel';
import classes from './Sequences.module.css';
import { SEQUENCE_STATES } from './words';

function NewSequence({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const create = useCreateSequence();
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim() } as Parameters<typeof create.mutate>[0], {
      onSuccess: (made) => {
        onClose();
        navigate(`/sequences/${made.id}`);
      },
    });
  };
  return (
    <Modal opened onClose={onClose} title="New sequence">
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <TextInput
          label="Name"
          required
          data-autofocus
          placeholder="After the trade fair"
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <FormFoot error={create.error} onCancel={onClose}>
          <Button type="submit" disabled={!name.trim()} loading={create.isPending}>
            Make sequence
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}

function SequenceLink({ sequence }: { sequence: Sequence }) {
  const [word, tone] = SEQUENCE_STATES[sequence.state];
  const { counts } = sequence;
  return (
    <NavLink to={`/sequences/${sequence.id}`} className={classes.link}>
      <span className={classes.linkName}>{sequence.name}</span>
      <ToneBadge tone={tone}>{word}</ToneBadge>
      <Text component="span" size="xs" className="muted tabular">
        {sequence.steps.length} {sequence.steps.length === 1 ? 'step' : 'steps'} ·{' '}
        {counts.active.toLocaleString()} active of {counts.total.toLocaleString()}
        {counts.goals > 0 && ` · ${counts.goals.toLocaleString()} reached the goal`}
      </Text>
    </NavLink>
  );
}

function Chosen({ id, part }: { id: string; part: string }) {
  const query = useSequence(id);
  if (query.isPending) return <Loading rows={6} />;
  if (query.isError) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return <SequencePanel sequence={query.data} part={part} />;
}

/** Steps that contacts are taken through by themselves. */
export default function SequencesPage() {
  const { id, part = '' } = useParams();
  const query = useSequences();
  const [making, setMaking] = useState(false);
  const sequences = query.data?.data ?? [];
  const open = id ?? sequences[0]?.id;
  const create = (
    <May do="sequences:write">
      <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={() => setMaking(true)}>
        New sequence
      </Button>
    </May>
  );
  return (
    <Page title="Sequences" beside={<Age updatedAt={query.dataUpdatedAt} />} actions={create}>
      {query.isPending && <Loading />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {query.isSuccess && sequences.length === 0 && (
        <Empty
          icon={<IconListNumbers size={20} />}
          title="No sequences yet"
          action={
            <May do="sequences:write">
              <Button onClick={() => setMaking(true)}>Make the first one</Button>
            </May>
          }
        >
          A sequence writes, reminds and calls at the right hour, and stops by itself when somebody answers.
        </Empty>
      )}
      {sequences.length > 0 && (
        <div className={classes.split}>
          <nav className={classes.links} aria-label="Sequences">
            {sequences.map((sequence) => (
              <SequenceLink key={sequence.id} sequence={sequence} />
            ))}
          </nav>
          {open && <Chosen key={open} id={open} part={part} />}
        </div>
      )}
      {making && <NewSequence onClose={() => setMaking(false)} />}
    </Page>
  );
}
