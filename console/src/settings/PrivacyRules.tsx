import { ActionIcon, Button, Modal, Select, Text, TextInput } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import type { Mailbox, PrivacyRuleIn } from '../api/types';
import { FormFoot } from '../ui/FormFoot';
import { Failure, Loading } from '../ui/States';
import { useMailLabels, usePrivacy, useSavePrivacy } from './mail';
import classes from './Settings.module.css';

const KINDS: { value: PrivacyRuleIn['kind']; label: string; placeholder: string }[] = [
  { value: 'address', label: 'Address', placeholder: 'doctor@example.com' },
  { value: 'domain', label: 'Domain', placeholder: 'bank.example' },
  { value: 'subject', label: 'Words in the subject', placeholder: 'payslip' },
  { value: 'label', label: 'Label', placeholder: '' },
];

function LabelChoice({ id, value, onChange }: { id: string; value: string; onChange: (to: string) => void }) {
  const labels = useMailLabels(id).data?.data ?? [];
  return (
    <Select
      aria-label="Label"
      placeholder="Which label"
      searchable
      data={labels.map((label) => ({ value: label.id, label: label.name }))}
      value={value || null}
      onChange={(to) => onChange(to ?? '')}
    />
  );
}

/** Which mail stays with the mailbox's owner: of one mailbox, or (without one) of all. */
export function PrivacyRules({ mailbox, onClose }: { mailbox: Mailbox | null; onClose: () => void }) {
  const id = mailbox?.id ?? null;
  const query = usePrivacy(id);
  const save = useSavePrivacy(id);
  const [kind, setKind] = useState<PrivacyRuleIn['kind']>('address');
  const [value, setValue] = useState('');
  const rules = query.data?.rules ?? [];
  const kinds = KINDS.filter((each) => id || each.value !== 'label');
  const put = (next: PrivacyRuleIn[], then?: () => void) =>
    save.mutate({ rules: next.map((rule) => ({ kind: rule.kind, value: rule.value })) }, { onSuccess: then });
  const add = (event: FormEvent) => {
    event.preventDefault();
    if (value.trim()) put([...rules, { kind, value: value.trim() }], () => setValue(''));
  };
  return (
    <Modal opened onClose={onClose} title={mailbox ? `Private mail of ${mailbox.address}` : 'Private mail'}>
      <Text className="muted" mb="md">
        Only the mailbox’s owner sees these: no colleague, no manager, not on any timeline.
      </Text>
      {query.isPending && <Loading rows={3} />}
      {query.isError && !query.data && <Failure error={query.error} onRetry={() => query.refetch()} />}
      <ul className={classes.rows} aria-label="Private mail">
        {rules.map((rule) => (
          <li key={rule.id} className={classes.row}>
            <div className={classes.grow}>
              <Text fw={550}>{rule.value}</Text>
              <Text size="xs" className="muted">
                {KINDS.find((each) => each.value === rule.kind)?.label}
              </Text>
            </div>
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`No longer private: ${rule.value}`}
              onClick={() => put(rules.filter((each) => each.id !== rule.id))}
            >
              <IconTrash size={16} />
            </ActionIcon>
          </li>
        ))}
        {query.isSuccess && rules.length === 0 && (
          <li className={classes.row}>
            <Text className="muted">Nothing yet.</Text>
          </li>
        )}
      </ul>
      <form onSubmit={add} style={{ display: 'grid', gap: 10, marginTop: 12 }}>
        <div className={classes.pair}>
          <Select
            aria-label="What it goes by"
            allowDeselect={false}
            data={kinds}
            value={kind}
            onChange={(to) => {
              setKind((to ?? 'address') as PrivacyRuleIn['kind']);
              setValue('');
            }}
          />
          {kind === 'label' && id ? (
            <LabelChoice id={id} value={value} onChange={setValue} />
          ) : (
            <TextInput
              aria-label="Value"
              placeholder={KINDS.find((each) => each.value === kind)?.placeholder}
              value={value}
              onChange={(event) => setValue(event.currentTarget.value)}
            />
          )}
        </div>
        <FormFoot error={save.error} onCancel={onClose} cancel="Close">
          <Button type="submit" loading={save.isPending} disabled={!value.trim()}>
            Keep private
          </Button>
        </FormFoot>
      </form>
    </Modal>
  );
}
