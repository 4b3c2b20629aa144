import { Button, Modal, NumberInput, Select, Switch, Text, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { Mailbox } from '../api/types';
import { FormFoot } from '../ui/FormFoot';
import { dayIn } from '../ui/time';
import { useCompany } from './company';
import { useChangeMailbox } from './mail';
import { useTeams } from './queries';
import classes from './Settings.module.css';

const VISIBILITY = [
  { value: 'private', label: 'Only its owner' },
  { value: 'team', label: 'The team it belongs to' },
  { value: 'everyone', label: 'Everyone in the company' },
];

type Numeric = 'per_hour' | 'per_day' | 'per_week' | 'min_gap_s';

const CAPS: { name: Numeric; label: string; max: number }[] = [
  { name: 'per_hour', label: 'Each hour', max: 10_000 },
  { name: 'per_day', label: 'Each day', max: 100_000 },
  { name: 'per_week', label: 'In any seven days', max: 500_000 },
  { name: 'min_gap_s', label: 'Seconds between two', max: 86_400 },
];

/** A signature as it is typed, and as it is sent. */
function asHtml(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.trim() === '' ? '' : `<p>${escaped.trim().replaceAll('\n', '<br>')}</p>`;
}

function asText(html: string): string {
  const body = new DOMParser().parseFromString(html.replaceAll(/<br\s*\/?>/gi, '\n'), 'text/html').body;
  return body.textContent ?? '';
}

/** A mailbox's name, signature, who sees it, and how much it sends by itself. */
export function MailboxEditor({ mailbox, onClose }: { mailbox: Mailbox; onClose: () => void }) {
  const teams = useTeams().data?.data ?? [];
  // The ramp counts the company's days.
  const zone = useCompany().data?.zone ?? 'UTC';
  const change = useChangeMailbox();
  const [name, setName] = useState(mailbox.display_name);
  const [signature, setSignature] = useState(asText(mailbox.signature_html));
  const [visibility, setVisibility] = useState(mailbox.visibility);
  const [team, setTeam] = useState<string | null>(mailbox.team?.id ?? null);
  const [syncRead, setSyncRead] = useState(mailbox.sync_read);
  const [syncLabels, setSyncLabels] = useState(mailbox.sync_labels);
  const [caps, setCaps] = useState<Record<Numeric, number>>({ ...mailbox.caps });
  const [permille, setPermille] = useState(mailbox.caps.bounce_limit_permille);
  const [warm, setWarm] = useState(mailbox.caps.warm_up);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { per_hour, per_day, per_week, min_gap_s } = caps;
    change.mutate(
      {
        id: mailbox.id,
        display_name: name.trim(),
        ...(signature === asText(mailbox.signature_html) ? {} : { signature_html: asHtml(signature) }),
        visibility,
        team_id: team,
        sync_read: syncRead,
        sync_labels: syncLabels,
        caps: { per_hour, per_day, per_week, min_gap_s, bounce_limit_permille: permille, warm_up: warm },
      },
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened onClose={onClose} size="lg" title={mailbox.address}>
      <form onSubmit={submit} style={{ display: 'grid', gap: 14 }}>
        <div className={classes.pair}>
          <TextInput
            label="Name that receivers see"
            data-autofocus
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Select
            label="Team that shares it"
            placeholder="No team"
            clearable
            data={teams.map((each) => ({ value: each.id, label: each.name }))}
            value={team}
            onChange={setTeam}
          />
          <Select
            label="Who sees its mail"
            allowDeselect={false}
            data={VISIBILITY.filter((each) => each.value !== 'team' || team)}
            value={visibility}
            onChange={(value) => setVisibility((value ?? 'private') as Mailbox['visibility'])}
          />
        </div>
        <Textarea
          label="Signature"
          autosize
          minRows={3}
          value={signature}
          onChange={(event) => setSignature(event.currentTarget.value)}
        />
        <Switch
          label="Read here means read at the provider, and the other way round"
          checked={syncRead}
          onChange={(event) => setSyncRead(event.currentTarget.checked)}
        />
        <Switch
          label="Done here archives at the provider, and labels are kept the same"
          checked={syncLabels}
          onChange={(event) => setSyncLabels(event.currentTarget.checked)}
        />
        <Text fw={600}>What sequences may send from here</Text>
        <div className={classes.pair}>
          {CAPS.map((cap) => (
            <NumberInput
              key={cap.name}
              label={cap.label}
              min={cap.name === 'min_gap_s' ? 0 : 1}
              max={cap.max}
              value={caps[cap.name]}
              onChange={(value) => setCaps({ ...caps, [cap.name]: Number(value) || 0 })}
            />
          ))}
          <NumberInput
            label="Stops by itself at % bounced"
            min={0.1}
            max={100}
            step={0.5}
            decimalScale={1}
            value={permille / 10}
            onChange={(value) => setPermille(Math.max(1, Math.round(Number(value) * 10)))}
          />
        </div>
        <Switch
          label="Warm up: begin with few and send more each day, up to the caps"
          checked={warm !== null}
          onChange={(event) =>
            setWarm(event.currentTarget.checked ? { started_on: dayIn(zone), start: 10, add: 5 } : null)
          }
        />
        {warm && (
          <div className={classes.pair}>
            <NumberInput
              label="On the first day"
              min={1}
              value={warm.start}
              onChange={(value) => setWarm({ ...warm, start: Number(value) || 1 })}
            />
            <NumberInput
              label="More each day"
              min={1}
              value={warm.add}
              onChange={(value) => setWarm({ ...warm, add: Number(value) || 1 })}
            />
          </div>
        )}
        <FormFoot error={change.error} onCancel={onClose}>
          <Button type="submit" loading={change.isPending}>
            Save
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
