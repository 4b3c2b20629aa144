import {
  ActionIcon,
  Alert,
  Autocomplete,
  Button,
  Group,
  Modal,
  Select,
  SimpleGrid,
  Stack,
  TagsInput,
  Text,
  TextInput,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ApiError, inWords } from '../api/errors';
import type { Contact, ContactInput } from '../api/types';
import { useMe } from '../app/hooks';
import { usePeopleNames } from '../floor/people';
import { notifyDone } from '../ui/notify';
import { Failure, Loading } from '../ui/States';
import { type ContactDraft, draftOf, inputOf, type Row, row } from './form';
import { fullName } from './naming';
import { useContactForEdit, useCreateContact, useFacets, useUpdateContact } from './queries';

type RowsProps = {
  legend: string;
  one: string;
  labels: string;
  rows: Row[];
  problemAt: (index: number) => string | undefined;
  onChange: (rows: Row[]) => void;
};

function Rows({ legend, one, labels, rows, problemAt, onChange }: RowsProps) {
  const change = (key: string, part: Partial<Row>) =>
    onChange(rows.map((each) => (each.key === key ? { ...each, ...part } : each)));
  return (
    <fieldset style={{ border: 0, margin: 0, padding: 0 }}>
      <Text component="legend" fw={600} mb={4}>
        {legend}
      </Text>
      <Stack gap={6}>
        {rows.map((each, index) => (
          <Group key={each.key} gap={6} wrap="nowrap" align="flex-start">
            <TextInput
              flex={1}
              aria-label={`${one} ${index + 1}`}
              placeholder={one}
              value={each.value}
              error={problemAt(index)}
              onChange={(event) => change(each.key, { value: event.currentTarget.value })}
            />
            <TextInput
              w={{ base: 92, xs: 130 }}
              aria-label={`${labels} of ${one.toLowerCase()} ${index + 1}`}
              placeholder={labels}
              value={each.label}
              onChange={(event) => change(each.key, { label: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              size="lg"
              aria-label={`Remove ${one.toLowerCase()} ${index + 1}`}
              onClick={() => onChange(rows.filter((other) => other.key !== each.key))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </Group>
        ))}
        <Button
          variant="subtle"
          size="compact-sm"
          w="fit-content"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...rows, row()])}
        >
          Add {one.toLowerCase()}
        </Button>
      </Stack>
    </fieldset>
  );
}

type FormProps = {
  before: Contact | null;
  submitLabel: string;
  busy: boolean;
  error: unknown;
  onSubmit: (input: ContactInput) => void;
  onCancel: () => void;
};

/** The message for a field, or for one entry of a list ("phones.0.number"). */
function problems(error: unknown): (field: string) => string | undefined {
  const fields = error instanceof ApiError ? error.fields : {};
  return (field) =>
    fields[field] ?? Object.entries(fields).find(([name]) => name.startsWith(`${field}.`))?.[1];
}

function Form({ before, submitLabel, busy, error, onSubmit, onCancel }: FormProps) {
  const me = useMe();
  const [draft, setDraft] = useState<ContactDraft>(() => ({
    ...draftOf(before),
    owner_id: before ? before.owner_id : me.user.id,
  }));
  const facets = useFacets().data;
  const names = usePeopleNames();
  const owners = new Map(names).set(me.user.id, me.user.name);
  const problem = problems(error);
  const set = (part: Partial<ContactDraft>) => setDraft((old) => ({ ...old, ...part }));
  const text = (name: 'first_name' | 'last_name' | 'company' | 'title', label: string) => (
    <TextInput
      label={label}
      value={draft[name]}
      error={problem(name)}
      data-autofocus={name === 'first_name' || undefined}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit(inputOf(draft, before));
  };
  const unplaced = error && !(error instanceof ApiError && Object.keys(error.fields).length > 0);
  return (
    <form onSubmit={submit}>
      <Stack gap="md">
        {unplaced ? (
          <Alert color="red" role="alert">
            {inWords(error)}
          </Alert>
        ) : null}
        <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="sm">
          {text('first_name', 'First name')}
          {text('last_name', 'Last name')}
          {text('company', 'Company')}
          {text('title', 'Title')}
          <Autocomplete
            label="Stage"
            data={facets?.stages ?? []}
            value={draft.stage}
            error={problem('stage')}
            onChange={(stage) => set({ stage })}
          />
          <Select
            label="Owner"
            clearable
            searchable
            data={[...owners].map(([value, label]) => ({ value, label }))}
            value={draft.owner_id}
            error={problem('owner_id')}
            onChange={(value) => set({ owner_id: value })}
          />
        </SimpleGrid>
        <Rows
          legend="Phones"
          one="Phone"
          labels="Label"
          rows={draft.phones}
          problemAt={(index) => problem(`phones.${index}`)}
          onChange={(phones) => set({ phones })}
        />
        <Rows
          legend="Emails"
          one="Email"
          labels="Label"
          rows={draft.emails}
          problemAt={(index) => problem(`emails.${index}`)}
          onChange={(emails) => set({ emails })}
        />
        <TagsInput
          label="Tags"
          data={facets?.tags ?? []}
          value={draft.tags}
          error={problem('tags')}
          onChange={(tags) => set({ tags })}
        />
        <Rows
          legend="Other fields"
          one="Field"
          labels="Name"
          rows={draft.custom}
          problemAt={() => undefined}
          onChange={(custom) => set({ custom })}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="subtle" color="gray" onClick={onCancel}>
            Cancel
          </Button>
          <Button type="submit" loading={busy}>
            {submitLabel}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function NewContact({
  onClose,
  onCreated,
}: {
  onClose: () => void;
  onCreated: (contact: Contact) => void;
}) {
  const create = useCreateContact();
  const submit = (input: ContactInput) =>
    create.mutate(input, {
      onSuccess: (contact) => {
        notifyDone(`${fullName(contact)} was added`);
        onCreated(contact);
      },
    });
  return (
    <Modal opened onClose={onClose} title="New contact" size="lg">
      <Form
        before={null}
        submitLabel="Add contact"
        busy={create.isPending}
        error={create.error}
        onSubmit={submit}
        onCancel={onClose}
      />
    </Modal>
  );
}

export function EditContact({ id, onClose }: { id: string; onClose: () => void }) {
  const query = useContactForEdit(id);
  const update = useUpdateContact(id);
  const stale = update.error instanceof ApiError && update.error.status === 412;
  const reload = () => {
    update.reset();
    void query.refetch();
  };
  return (
    <Modal opened onClose={onClose} title="Edit contact" size="lg">
      {query.isPending && <Loading rows={8} />}
      {query.isError && <Failure error={query.error} onRetry={() => query.refetch()} />}
      {stale && (
        <Alert color="yellow" role="alert" mb="md" title="Somebody else changed this contact meanwhile">
          <Button size="compact-sm" variant="default" onClick={reload}>
            Show their version
          </Button>
        </Alert>
      )}
      {query.data && (
        <Form
          key={query.dataUpdatedAt}
          before={query.data.contact}
          submitLabel="Save"
          busy={update.isPending}
          error={stale ? null : update.error}
          onSubmit={(body) => update.mutate({ body, etag: query.data.etag }, { onSuccess: onClose })}
          onCancel={onClose}
        />
      )}
    </Modal>
  );
}
