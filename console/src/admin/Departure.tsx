import { Button, Modal, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { Member } from '../api/types';
import { FormFoot } from '../ui/FormFoot';
import { notifyDone } from '../ui/notify';
import { HandoverChoice } from './HandoverChoice';
import { allowed, suggested } from './handing';
import { type HandoverIn, type Kind, useBelongings, useDeactivate, useHandOver } from './joining';

type Props = { member: Member; others: Member[]; onClose: () => void };

/** What is to be handed over: all but the mail at first, until somebody chooses otherwise. */
function useChoice(memberId: string) {
  const had = useBelongings(memberId).data;
  const [toId, setToId] = useState<string | null | undefined>(undefined);
  const [kinds, setKinds] = useState<Kind[] | null>(null);
  useEffect(() => {
    if (had && kinds === null) setKinds(suggested(had));
  }, [had, kinds]);
  const chosen = kinds ?? [];
  const going = toId === undefined ? [] : allowed(chosen, toId);
  const handover: HandoverIn | null =
    toId === undefined || going.length === 0 ? null : { to_id: toId, kinds: going };
  return { toId, setToId, kinds: chosen, setKinds, handover };
}

function Deactivate({ member, others, onClose }: Props) {
  const choice = useChoice(member.id);
  const deactivate = useDeactivate();
  const submit = () =>
    deactivate.mutate(
      { id: member.id, handover: choice.handover },
      {
        onSuccess: () => {
          notifyDone(`${member.name} is out${choice.handover ? '; the handover is under way' : ''}`);
          onClose();
        },
      },
    );
  return (
    <Modal opened onClose={onClose} title={`Deactivate ${member.name}?`}>
      <Stack>
        <Text>
          They are signed out everywhere at once, their API keys and open invitations end, and they cannot
          come back until they are activated again.
        </Text>
        <HandoverChoice
          member={member}
          others={others}
          withMail
          toId={choice.toId}
          onTo={choice.setToId}
          kinds={choice.kinds}
          onKinds={choice.setKinds}
        />
        {!choice.handover && choice.kinds.length > 0 && (
          <Text size="sm" className="muted">
            Without a colleague it stays in their name. You can hand it over later, too.
          </Text>
        )}
        <FormFoot error={deactivate.error} onCancel={onClose}>
          <Button color="red" loading={deactivate.isPending} onClick={submit}>
            {choice.handover ? 'Deactivate and hand over' : 'Deactivate'}
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

function HandOver({ member, others, onClose }: Props) {
  const choice = useChoice(member.id);
  const handOver = useHandOver();
  const submit = () =>
    choice.handover && handOver.mutate({ id: member.id, ...choice.handover }, { onSuccess: onClose });
  return (
    <Modal opened onClose={onClose} title={`Hand over what is ${member.name}’s`}>
      <Stack>
        <HandoverChoice
          member={member}
          others={others}
          withMail={member.status !== 'active'}
          toId={choice.toId}
          onTo={choice.setToId}
          kinds={choice.kinds}
          onKinds={choice.setKinds}
        />
        <FormFoot error={handOver.error} onCancel={onClose}>
          <Button disabled={!choice.handover} loading={handOver.isPending} onClick={submit}>
            Hand over
          </Button>
        </FormFoot>
      </Stack>
    </Modal>
  );
}

/** The dialogue in which somebody goes, or hands over. */
export function Departure({ what, ...props }: Props & { what: 'deactivate' | 'hand over' }) {
  return what === 'deactivate' ? <Deactivate {...props} /> : <HandOver {...props} />;
}
