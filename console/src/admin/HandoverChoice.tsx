import { Checkbox, Select, Stack, Text } from '@mantine/core';
import type { Member } from '../api/types';
import { Failure, Loading } from '../ui/States';
import { amount, CHOICES } from './handing';
import { type Kind, useBelongings } from './joining';

const NOBODY = 'nobody';

type Props = {
  member: { id: string; name: string };
  others: Member[];
  /** Mailboxes of somebody who stays are theirs to give. */
  withMail: boolean;
  toId: string | null | undefined;
  onTo: (toId: string | null) => void;
  kinds: Kind[];
  onKinds: (kinds: Kind[]) => void;
};

/** Who takes over, and what. */
export function HandoverChoice({ member, others, withMail, toId, onTo, kinds, onKinds }: Props) {
  const had = useBelongings(member.id);
  if (had.isPending) return <Loading rows={3} />;
  if (had.isError) return <Failure error={had.error} onRetry={() => void had.refetch()} />;
  const there = CHOICES.filter((choice) => amount(choice, had.data) > 0);
  if (there.length === 0) {
    return <Text className="muted">{member.name} has nothing that somebody would have to take over.</Text>;
  }
  const people = others
    .filter((each) => each.status === 'active' && each.id !== member.id)
    .map((each) => ({ value: each.id, label: each.name }));
  return (
    <Stack gap="sm">
      <Select
        label="Who takes over"
        placeholder="Choose a colleague"
        searchable
        data={[...people, { value: NOBODY, label: 'Nobody: everybody may take it' }]}
        nothingFoundMessage="No active member is called so"
        value={toId === null ? NOBODY : (toId ?? null)}
        onChange={(value) => value && onTo(value === NOBODY ? null : value)}
      />
      <Checkbox.Group label="What is handed over" value={kinds} onChange={(next) => onKinds(next as Kind[])}>
        <Stack gap={8} mt={6}>
          {there
            .filter((choice) => withMail || choice.kind !== 'mailboxes')
            .map((choice) => {
              const many = amount(choice, had.data);
              const impossible = toId === null && choice.needsSomebody;
              return (
                <Checkbox
                  key={choice.kind}
                  value={choice.kind}
                  disabled={impossible}
                  label={`${choice.label} (${many >= 10_000 ? 'more than 10,000' : many.toLocaleString('en')})`}
                  description={impossible ? 'Only a colleague can take these over' : choice.hint}
                />
              );
            })}
        </Stack>
      </Checkbox.Group>
    </Stack>
  );
}
