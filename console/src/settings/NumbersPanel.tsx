import { Button, Group, Modal, NumberInput, Select, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { IconPhonePlus, IconSearch } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useMembers } from '../admin/queries';
import { inWords } from '../api/errors';
import type { AvailableNumber, PhoneNumber } from '../api/types';
import { useMay } from '../app/hooks';
import { ToneBadge } from '../calls/StateBadge';
import type { Tone } from '../calls/states';
import { readable } from '../contacts/naming';
import { Age } from '../ui/Age';
import { FormFoot } from '../ui/FormFoot';
import { attempt, notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import {
  useAvailable,
  useBuyNumber,
  useChangeNumber,
  useNumbers,
  useReleaseNumber,
  useTeams,
} from './queries';
import classes from './Settings.module.css';

const STATES: Record<PhoneNumber['state'], [string, Tone]> = {
  buying: ['Being bought', 'warn'],
  active: ['Active', 'good'],
  releasing: ['Being given back', 'warn'],
  released: ['Given back', 'plain'],
  failed: ['Not bought', 'bad'],
};

const ROUTES = [
  { value: 'assigned', label: 'Whom the number belongs to' },
  { value: 'rep', label: 'One person' },
  { value: 'team_in_turn', label: 'A team, one after the other' },
  { value: 'team_at_once', label: 'A team, all at once' },
  { value: 'voicemail', label: 'Voicemail' },
];

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri'] as const;
type RouteKind = NonNullable<PhoneNumber['routing']>['kind'];

function answerer(number: PhoneNumber): string {
  const routing = number.routing;
  const owner = number.user?.name ?? number.team?.name ?? 'everybody';
  if (!routing) return `Shown for ${owner}`;
  const who: Record<RouteKind, string> = {
    assigned: owner,
    rep: routing.user?.name ?? 'nobody',
    team_in_turn: `${routing.team?.name ?? 'nobody'}, in turn`,
    team_at_once: `${routing.team?.name ?? 'nobody'}, all at once`,
    voicemail: 'voicemail',
  };
  return `Belongs to ${owner} · answered by ${who[routing.kind]}${routing.hours ? ', within hours' : ''}`;
}

function Buy({ onClose }: { onClose: () => void }) {
  const [area, setArea] = useState('');
  const [contains, setContains] = useState('');
  const search = useAvailable();
  const buy = useBuyNumber();
  const find = (event: FormEvent) => {
    event.preventDefault();
    search.mutate({
      country: 'US',
      ...(area.trim() ? { area_code: area.trim() } : {}),
      ...(contains.trim() ? { contains: contains.trim() } : {}),
    });
  };
  const take = (number: AvailableNumber) =>
    attempt(
      buy.mutateAsync({ e164: number.e164, locality: number.locality }),
      `${readable(number.e164)} could not be bought`,
      () => {
        notifyDone(`${readable(number.e164)} is being bought`);
        onClose();
      },
    );
  const failed = search.error;
  return (
    <Modal opened onClose={onClose} title="Buy a number">
      <form onSubmit={find}>
        <div className={classes.search}>
          <TextInput
            label="Area code"
            placeholder="415"
            data-autofocus
            value={area}
            onChange={(event) => setArea(event.currentTarget.value)}
          />
          <TextInput
            label="Contains"
            placeholder="SALE"
            value={contains}
            onChange={(event) => setContains(event.currentTarget.value)}
          />
          <Button type="submit" leftSection={<IconSearch size={15} />} loading={search.isPending}>
            Search
          </Button>
        </div>
      </form>
      {failed && (
        <Text c="red" role="alert" mt="sm">
          {inWords(failed)}
        </Text>
      )}
      {search.data && search.data.data.length === 0 && (
        <Text className="muted" mt="md">
          None like that is on sale. Try another area code.
        </Text>
      )}
      <ul className={classes.rows} aria-label="Numbers on sale">
        {search.data?.data.map((number) => (
          <li key={number.e164} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={600} className="tabular">
                {readable(number.e164)}
              </Text>
              <Text size="xs" className="muted">
                {[number.locality, number.region].filter(Boolean).join(', ')}
              </Text>
            </div>
            <Button
              size="compact-sm"
              variant="light"
              disabled={buy.isPending}
              aria-label={`Buy ${number.e164}`}
              onClick={() => take(number)}
            >
              Buy
            </Button>
          </li>
        ))}
      </ul>
    </Modal>
  );
}

function Editor({ number, onClose }: { number: PhoneNumber & { id: string }; onClose: () => void }) {
  const members = useMembers().data?.data ?? [];
  const teams = useTeams().data?.data ?? [];
  const change = useChangeNumber();
  const routing = number.routing;
  const [label, setLabel] = useState(number.label);
  const [owner, setOwner] = useState<string | null>(
    number.user ? `user:${number.user.id}` : number.team ? `team:${number.team.id}` : null,
  );
  const [kind, setKind] = useState<RouteKind>(routing?.kind ?? 'assigned');
  const [target, setTarget] = useState<string | null>(routing?.user?.id ?? routing?.team?.id ?? null);
  const [ring, setRing] = useState<number>(routing?.ring_s ?? 20);
  const [office, setOffice] = useState(routing?.hours != null);
  const [greeting, setGreeting] = useState(routing?.greeting ?? '');
  const people = members
    .filter((each) => each.status === 'active')
    .map((each) => ({ value: each.id, label: each.name }));
  const groups = teams.map((each) => ({ value: each.id, label: each.name }));
  const owners = [
    { group: 'People', items: people.map((each) => ({ ...each, value: `user:${each.value}` })) },
    { group: 'Teams', items: groups.map((each) => ({ ...each, value: `team:${each.value}` })) },
  ];
  const byTeam = kind === 'team_in_turn' || kind === 'team_at_once';
  const [sort, id] = owner?.split(':') ?? [];
  const hours = Object.fromEntries(WEEKDAYS.map((day) => [day, [{ from: '09:00', to: '18:00' }]]));
  const save = (event: FormEvent) => {
    event.preventDefault();
    const body = {
      id: number.id,
      label: label.trim(),
      user_id: sort === 'user' && id ? id : null,
      team_id: sort === 'team' && id ? id : null,
      routing: {
        kind,
        ...(kind === 'rep' ? { user_id: target } : {}),
        ...(byTeam ? { team_id: target } : {}),
        ring_s: ring,
        greeting,
        hours: office ? (routing?.hours ?? hours) : null,
      },
    };
    change.mutate(body as Parameters<typeof change.mutate>[0], { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={readable(number.e164)}>
      <form onSubmit={save} style={{ display: 'grid', gap: 14 }}>
        <TextInput
          label="Label"
          placeholder="Front desk"
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Select
          label="Belongs to"
          placeholder="Everybody"
          clearable
          searchable
          data={owners}
          value={owner}
          onChange={setOwner}
        />
        <Select
          label="Incoming calls go to"
          allowDeselect={false}
          data={ROUTES}
          value={kind}
          onChange={(value) => {
            setKind((value ?? 'assigned') as RouteKind);
            setTarget(null);
          }}
        />
        {(kind === 'rep' || byTeam) && (
          <Select
            label={byTeam ? 'Team' : 'Person'}
            required
            searchable
            data={byTeam ? groups : people}
            value={target}
            onChange={setTarget}
          />
        )}
        <NumberInput
          label="Rings for (seconds)"
          min={5}
          max={120}
          value={ring}
          onChange={(value) => setRing(Number(value) || 20)}
        />
        <Switch
          label="Only in office hours (Monday to Friday, 9 to 18); voicemail otherwise"
          checked={office}
          onChange={(event) => setOffice(event.currentTarget.checked)}
        />
        <Textarea
          label="Voicemail greeting"
          placeholder="Sorry, nobody is free right now. Please leave a message after the tone."
          autosize
          minRows={2}
          value={greeting}
          onChange={(event) => setGreeting(event.currentTarget.value)}
        />
        <FormFoot error={change.error} onCancel={onClose}>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}

function Row({ number, mayEdit, onEdit }: { number: PhoneNumber; mayEdit: boolean; onEdit: () => void }) {
  const release = useReleaseNumber();
  const [asking, setAsking] = useState(false);
  const [word, tone] = STATES[number.state];
  const { id } = number;
  return (
    <li className={classes.row}>
      <div className={classes.grow}>
        <Text fw={600} className="tabular">
          {readable(number.e164)} {number.label && <span className="muted">{number.label}</span>}
        </Text>
        <Text size="xs" className="muted">
          {number.shared ? 'The installation’s own number, shown where no other fits' : answerer(number)}
        </Text>
        {number.error && (
          <Text size="xs" style={{ color: 'var(--rs-bad)' }}>
            {number.error}
          </Text>
        )}
      </div>
      <ToneBadge tone={tone}>{word}</ToneBadge>
      {mayEdit && id && number.state === 'active' && (
        <>
          <Button size="compact-sm" variant="subtle" onClick={onEdit}>
            Change
          </Button>
          <Button size="compact-sm" variant="subtle" color="gray" onClick={() => setAsking(true)}>
            Give back
          </Button>
          <Modal
            opened={asking}
            onClose={() => setAsking(false)}
            title={`Give back ${readable(number.e164)}?`}
          >
            <Text>Calls and messages to it no longer reach you, and somebody else may get it.</Text>
            <Group justify="flex-end" gap="xs" mt="md">
              <Button variant="subtle" color="gray" onClick={() => setAsking(false)}>
                Cancel
              </Button>
              <Button
                color="red"
                loading={release.isPending}
                onClick={() =>
                  attempt(release.mutateAsync(id), 'The number could not be given back', () =>
                    setAsking(false),
                  )
                }
              >
                Give back
              </Button>
            </Group>
          </Modal>
        </>
      )}
    </li>
  );
}

/** The company's numbers, whose they are and who answers. */
export default function NumbersPanel() {
  const may = useMay();
  const query = useNumbers();
  const [buying, setBuying] = useState(false);
  const [editing, setEditing] = useState<string | null>(null);
  const mayEdit = may('numbers:buy');
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  const numbers = query.data?.data ?? [];
  const edited = numbers.find((each) => each.id && each.id === editing);
  return (
    <Panel
      title="Numbers"
      aside={
        mayEdit ? (
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<IconPhonePlus size={14} />}
            onClick={() => setBuying(true)}
          >
            Buy a number
          </Button>
        ) : (
          <Age updatedAt={query.dataUpdatedAt} />
        )
      }
    >
      <ul className={classes.rows} aria-label="Numbers">
        {numbers.map((number) => (
          <Row
            key={number.id ?? number.e164}
            number={number}
            mayEdit={mayEdit}
            onEdit={() => setEditing(number.id)}
          />
        ))}
      </ul>
      {buying && <Buy onClose={() => setBuying(false)} />}
      {edited?.id && (
        <Editor key={edited.id} number={{ ...edited, id: edited.id }} onClose={() => setEditing(null)} />
      )}
    </Panel>
  );
}
