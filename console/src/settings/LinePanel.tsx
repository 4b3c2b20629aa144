import { Button, Radio, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { LineChoice } from '../api/types';
import { DeviceChoice } from '../softphone/DeviceChoice';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { Panel } from '../ui/Panel';
import { Failure, Loading } from '../ui/States';
import classes from './Settings.module.css';
import { useChooseLine, useLineChoice } from './voice';

type Kind = NonNullable<LineChoice['kind']>;

const KINDS: Record<Kind, [string, string]> = {
  softphone: ['In the browser', 'With your headset, through this console.'],
  bridge: ['On my own telephone', 'It rings first; when you pick up, the contact is called.'],
  simulated: ['Practice line', 'Nobody is there: for trying things out.'],
};

function Choice({ known }: { known: LineChoice }) {
  const [kind, setKind] = useState<Kind | null>(known.kind ?? known.in_use);
  const [phone, setPhone] = useState(known.phone ?? '');
  const choose = useChooseLine();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!kind) return;
    choose.mutate(kind === 'bridge' ? { kind, phone: phone.trim() } : { kind }, {
      onSuccess: () => notifyDone('Your next call comes this way'),
    });
  };
  return (
    <form className={classes.form} onSubmit={submit}>
      <Radio.Group label="I talk" value={kind} onChange={(value) => setKind(value as Kind)}>
        <Stack gap="sm" mt={8}>
          {(Object.keys(KINDS) as Kind[]).map((each) => (
            <Radio
              key={each}
              value={each}
              disabled={!known.kinds.includes(each)}
              label={KINDS[each][0]}
              description={
                known.kinds.includes(each)
                  ? KINDS[each][1]
                  : 'Not set up in this installation; the operations guide says how.'
              }
            />
          ))}
        </Stack>
      </Radio.Group>
      {kind === 'bridge' && (
        <TextInput
          label="My number"
          placeholder="+1 415 555 0100"
          required
          value={phone}
          onChange={(event) => setPhone(event.currentTarget.value)}
        />
      )}
      {kind === 'softphone' && <DeviceChoice />}
      <FormFoot error={choose.error}>
        <Button type="submit" disabled={!kind} loading={choose.isPending}>
          Save
        </Button>
      </FormFoot>
    </form>
  );
}

/** How one talks oneself. */
export default function LinePanel() {
  const query = useLineChoice();
  if (query.isPending) return <Loading />;
  if (query.isError && !query.data) return <Failure error={query.error} onRetry={() => query.refetch()} />;
  return <Panel title="My telephone">{query.data && <Choice known={query.data} />}</Panel>;
}
