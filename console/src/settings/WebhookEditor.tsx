import { Button, Modal, MultiSelect, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { FormFoot } from '../ui/FormFoot';
import { Failure, Loading } from '../ui/States';
import classes from './Access.module.css';
import {
  type NewWebhook,
  useChangeWebhook,
  useCreateWebhook,
  useWebhookTypes,
  type Webhook,
} from './webhooks';

type Props = { webhook?: Webhook; onMade: (made: NewWebhook) => void; onClose: () => void };

/** Where events are sent, and which. */
export function WebhookEditor({ webhook, onMade, onClose }: Props) {
  const types = useWebhookTypes();
  const create = useCreateWebhook();
  const change = useChangeWebhook(webhook?.id ?? '');
  const [url, setUrl] = useState(webhook?.url ?? '');
  const [description, setDescription] = useState(webhook?.description ?? '');
  const [all, setAll] = useState(!webhook?.types);
  const [chosen, setChosen] = useState<string[]>(webhook?.types ?? []);
  const saving = webhook ? change : create;
  return (
    <Modal opened onClose={onClose} size="lg" title={webhook ? 'Change the webhook' : 'New webhook'}>
      {types.isPending && <Loading rows={4} />}
      {types.isError && <Failure error={types.error} onRetry={() => types.refetch()} />}
      {types.data && (
        <form
          className={classes.form}
          onSubmit={(event) => {
            event.preventDefault();
            const body = { url: url.trim(), description: description.trim(), types: all ? null : chosen };
            if (webhook) change.mutate(body, { onSuccess: onClose });
            else create.mutate(body, { onSuccess: onMade });
          }}
        >
          <TextInput
            label="Where to"
            description="An address of your system that takes POST requests over https."
            placeholder="https://example.com/ringside"
            type="url"
            required
            maxLength={2000}
            data-autofocus
            value={url}
            onChange={(event) => setUrl(event.currentTarget.value)}
          />
          <TextInput
            label="What it is for"
            placeholder="Data warehouse"
            maxLength={200}
            value={description}
            onChange={(event) => setDescription(event.currentTarget.value)}
          />
          <Switch
            label="Everything that happens"
            description="What you may see yourself, and never what is for one person alone."
            checked={all}
            onChange={(event) => setAll(event.currentTarget.checked)}
          />
          {!all && (
            <MultiSelect
              label="Only these events"
              placeholder={chosen.length ? undefined : 'Look for one, such as contact.created'}
              searchable
              clearable
              hidePickedOptions
              nothingFoundMessage="There is no such event"
              data={types.data.data.map((each) => each.type)}
              renderOption={({ option }) => (
                <span>
                  {option.value}
                  <br />
                  <small className="muted">
                    {types.data.data.find((each) => each.type === option.value)?.words}
                  </small>
                </span>
              )}
              value={chosen}
              onChange={setChosen}
            />
          )}
          <FormFoot error={saving.error} onCancel={onClose}>
            <Button
              type="submit"
              loading={saving.isPending}
              disabled={!url.trim() || (!all && chosen.length === 0)}
            >
              {webhook ? 'Save' : 'Set it up'}
            </Button>
          </FormFoot>
        </form>
      )}
    </Modal>
  );
}
